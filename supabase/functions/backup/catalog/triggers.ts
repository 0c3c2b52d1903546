/** Triggers of tables and views. */
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { dependsOnExtensions } from "./functions.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { commentOn } from "./rules.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  namespace: string;
  tableName: string;
  tableKind: string;
  owner: string;
  definition: string;
  enabled: "O" | "D" | "R" | "A";
  /** It came from the partitioned table's trigger and is here because its state differs. */
  cloned: boolean;
}

const STATES = { O: "ENABLE", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" };

export const triggers: ObjectType<Row> = {
  name: "triggers",
  // Before 15 the clones in partitions passed for internal.
  query: (version) => `
    select t.oid::int8, t.tgname as name, n.nspname as namespace, c.relname as "tableName", c.relkind as "tableKind",
      pg_get_userbyid(c.relowner) as owner, pg_get_triggerdef(t.oid, false) as definition, t.tgenabled as enabled,
      ${version >= 150000 ? "t.tgparentid <> 0" : "t.tgisinternal"} as cloned
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_trigger u on u.oid = t.tgparentid
    where (not t.tgisinternal ${
    version >= 150000 ? "and t.tgparentid = 0" : ""
  } or t.tgenabled <> u.tgenabled)
      and ${isWhole("pg_class", "c.oid")}
    order by t.tgrelid, t.tgname`,
  read(row, catalog) {
    const table = catalog.qualified({ namespace: row.namespace, name: row.tableName });
    const name = catalog.quote(row.name);
    const identity = `${name} ON ${table}`;
    const state = `\nALTER ${row.tableKind === "f" ? "FOREIGN " : ""}TABLE ${table} ${
      STATES[row.enabled]
    } TRIGGER ${name};\n`;
    const object: CatalogObject = makeObject({
      kind: "trigger",
      classId: CLASS.trigger,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.tableName],
      render: () => [
        mainEntry(object, {
          desc: "TRIGGER",
          tag: `${row.tableName} ${row.name}`,
          owner: row.owner,
          section: "post-data",
          definition: row.cloned ? state : [
            `${row.definition};\n`,
            dependsOnExtensions(catalog, object, `TRIGGER ${identity}`),
            row.enabled === "O" ? "" : state,
          ].join(""),
          drop: row.cloned ? "" : `DROP TRIGGER ${identity};\n`,
        }),
        ...commentOn("TRIGGER", row, object, catalog),
      ],
    });
    catalog.add(object);
  },
};
