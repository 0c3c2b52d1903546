/** Indexes, and the constraints they make good: primary key, unique, exclusion. */
import { described } from "./attachments.ts";
import { type Catalog } from "./catalog.ts";
import { constraintComment } from "./check_constraints.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { dependsOnExtensions } from "./functions.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { storageParameters } from "./options.ts";
import { isWhole } from "./selection.ts";

interface Constraint {
  oid: number;
  name: string;
  type: "p" | "u" | "x";
  deferrable: boolean;
  deferred: boolean;
  /** `without overlaps`, since 18. */
  period: boolean;
  /** Of exclusions only. */
  definition: string | null;
  columns: string[] | null;
}

interface Row {
  oid: number;
  namespace: string;
  name: string;
  table: number;
  tableName: string;
  tableKind: string;
  owner: string;
  /** Null for the index of a constraint, which makes it. */
  definition: string | null;
  keyCount: number;
  nullsNotDistinct: boolean;
  clustered: boolean;
  replicaIdentity: boolean;
  tablespace: string;
  options: string[] | null;
  /** Columns, by number, with statistics targets of their own. */
  statistics: { column: number; target: number }[] | null;
  /** It is attached to an index of the parent table. */
  attached: boolean;
  constraint: Constraint | null;
}

export const indexes: ObjectType<Row> = {
  name: "indexes",
  query: (version) => `
    select i.indexrelid::int8 as oid, n.nspname as namespace, x.relname as name,
      c.oid::int8 as table, c.relname as "tableName", c.relkind as "tableKind", pg_get_userbyid(c.relowner) as owner,
      case when k.oid is null then pg_get_indexdef(i.indexrelid) end as definition, i.indnkeyatts as "keyCount",
      ${version >= 150000 ? "i.indnullsnotdistinct" : "false"} as "nullsNotDistinct",
      i.indisclustered as clustered, i.indisreplident as "replicaIdentity",
      coalesce((select s.spcname from pg_tablespace s where s.oid = x.reltablespace), '') as tablespace,
      x.reloptions as options,
      (select json_agg(json_build_object('column', a.attnum, 'target', a.attstattarget) order by a.attnum)
       from pg_attribute a where a.attrelid = i.indexrelid and a.attstattarget >= 0) as statistics,
      h.inhparent is not null as attached,
      case when k.oid is not null then json_build_object('oid', k.oid::int8, 'name', k.conname, 'type', k.contype,
        'deferrable', k.condeferrable, 'deferred', k.condeferred,
        'period', ${version >= 180000 ? "k.conperiod" : "false"},
        'definition', case when k.contype = 'x' then pg_get_constraintdef(k.oid) end,
        'columns', case when k.contype <> 'x' then (
          select json_agg(a.attname order by key.place)
          from unnest(i.indkey) with ordinality as key (number, place)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number) end) end as constraint
    from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join pg_class c on c.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_constraint k on k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
    left join pg_inherits h on h.inhrelid = i.indexrelid
    where c.relkind in ('r', 'p', 'm') and (i.indisvalid or c.relkind = 'p') and i.indisready
      and ${isWhole("pg_class", "c.oid")}
    order by i.indrelid, x.relname`,
  read(row, catalog) {
    const constraint = row.constraint === null ? null : addConstraint(row, row.constraint, catalog);
    const index: CatalogObject = makeObject({
      kind: "index",
      classId: CLASS.relation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      render: () => render(row, index, constraint, catalog),
    });
    catalog.add(index);
  },
};

function render(row: Row, index: CatalogObject, constraint: CatalogObject | null, catalog: Catalog): Draft[] {
  const comments = described(catalog, index, {
    type: "INDEX",
    name: catalog.quote(row.name),
    owner: row.owner,
  })
    .filter(({ desc }) => desc === "COMMENT");
  // The constraint makes the index; only the comment is the index's own.
  if (constraint) return comments.map((draft) => ({ ...draft, needs: [constraint] }));
  const name = catalog.qualified(row);
  const [cluster, identity] = tableCommands(row, catalog);
  return [
    mainEntry(index, {
      desc: "INDEX",
      owner: row.owner,
      section: "post-data",
      tablespace: row.tablespace,
      definition: [
        `${row.definition};\n`,
        cluster,
        ...(row.statistics ?? []).map(({ column, target }) =>
          `ALTER INDEX ${name} ALTER COLUMN ${column} SET STATISTICS ${target};\n`
        ),
        dependsOnExtensions(catalog, index, `INDEX ${name}`),
        identity,
      ].join(""),
      // A partition's goes with the table or with the index above.
      drop: row.attached ? "" : `DROP INDEX ${name};\n`,
    }),
    ...comments,
  ];
}

/** Returns what is said of a table by naming an index of it. */
function tableCommands(row: Row, catalog: Catalog): [cluster: string, identity: string] {
  const table = catalog.qualified({ namespace: row.namespace, name: row.tableName });
  const name = catalog.quote(row.name);
  return [
    row.clustered ? `\nALTER TABLE ${table} CLUSTER ON ${name};\n` : "",
    row.replicaIdentity ? `\nALTER TABLE ONLY ${table} REPLICA IDENTITY USING INDEX ${name};\n` : "",
  ];
}

function addConstraint(row: Row, constraint: Constraint, catalog: Catalog): CatalogObject {
  const alter = `ALTER TABLE ONLY ${catalog.qualified({ namespace: row.namespace, name: row.tableName })}`;
  const name = catalog.quote(constraint.name);
  const object: CatalogObject = makeObject({
    kind: "constraint",
    classId: CLASS.constraint,
    oid: constraint.oid,
    namespace: row.namespace,
    name: constraint.name,
    key: [1, row.tableName],
    render: () => [
      mainEntry(object, {
        desc: "CONSTRAINT",
        tag: `${row.tableName} ${constraint.name}`,
        owner: row.owner,
        section: "post-data",
        tablespace: row.tablespace,
        definition: [
          `${alter}\n    ADD CONSTRAINT ${name} ${
            constraint.definition ?? keyDefinition(row, constraint, catalog)
          };\n`,
          ...tableCommands(row, catalog),
          indexDependsOnExtensions(),
        ].join(""),
        drop: `${alter} DROP CONSTRAINT ${name};\n`,
      }),
      ...constraintComment({ name: row.tableName, owner: row.owner }, object, object, catalog),
    ],
  });
  catalog.add(object);
  return object;

  function indexDependsOnExtensions(): string {
    const index = catalog.find(CLASS.relation, row.oid);
    return index ? dependsOnExtensions(catalog, index, `INDEX ${catalog.qualified(row)}`) : "";
  }
}

function keyDefinition(row: Row, constraint: Constraint, catalog: Catalog): string {
  const columns = (constraint.columns ?? []).map((column) => catalog.quote(column));
  const included = columns.splice(row.keyCount);
  const parameters = storageParameters(catalog, row.options);
  return [
    constraint.type === "p" ? "PRIMARY KEY" : "UNIQUE",
    row.nullsNotDistinct && constraint.type !== "p" ? " NULLS NOT DISTINCT" : "",
    ` (${columns.join(", ")}${constraint.period ? " WITHOUT OVERLAPS" : ""})`,
    included.length > 0 ? ` INCLUDE (${included.join(", ")})` : "",
    parameters.length > 0 ? ` WITH (${parameters.join(", ")})` : "",
    constraint.deferrable ? " DEFERRABLE" : "",
    constraint.deferred ? " INITIALLY DEFERRED" : "",
  ].join("");
}
