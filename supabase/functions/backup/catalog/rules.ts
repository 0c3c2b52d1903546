/** Rewrite rules, apart from those that make views. */
import { commentEntry } from "./attachments.ts";
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  namespace: string;
  table: number;
  tableName: string;
  owner: string;
  definition: string;
  enabled: "O" | "D" | "R" | "A";
}

const STATES = { O: "", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" };

export const rules: ObjectType<Row> = {
  name: "rules",
  query: () => `
    select r.oid::int8, r.rulename as name, n.nspname as namespace, c.oid::int8 as table, c.relname as "tableName",
      pg_get_userbyid(c.relowner) as owner, pg_get_ruledef(r.oid) as definition, r.ev_enabled as enabled
    from pg_rewrite r
    join pg_class c on c.oid = r.ev_class
    join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and ${isWhole("pg_class", "c.oid")}
    order by r.oid`,
  read(row, catalog) {
    const table = catalog.find(CLASS.relation, row.table);
    const tableName = catalog.qualified({ namespace: row.namespace, name: row.tableName });
    const name = catalog.quote(row.name);
    const object: CatalogObject = makeObject({
      kind: "rule",
      classId: CLASS.rule,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.tableName],
      whole: table ?? null,
      needs: table ? [table] : [],
      render: () => [
        mainEntry(object, {
          desc: "RULE",
          tag: `${row.tableName} ${row.name}`,
          owner: row.owner,
          section: "post-data",
          definition: `${row.definition}\n` +
            (row.enabled === "O" ? "" : `ALTER TABLE ${tableName} ${STATES[row.enabled]} RULE ${name};\n`),
          drop: `DROP RULE ${name} ON ${tableName};\n`,
        }),
        ...commentOn("RULE", row, object, catalog),
      ],
    });
    catalog.add(object);
  },
};

/** The comment on what is named through its table (a rule, a trigger, a policy), as a list of one or none. */
export function commentOn(
  type: string,
  { tableName, owner }: { tableName: string; owner: string },
  object: CatalogObject,
  catalog: Catalog,
): Draft[] {
  const comment = catalog.comments.get(objectKey(object.classId, object.oid))?.[0];
  if (!comment) return [];
  const what = { type: `${type} ${catalog.quote(object.name)} ON`, name: catalog.quote(tableName), owner };
  return [commentEntry(catalog, object, what, comment.text)];
}
