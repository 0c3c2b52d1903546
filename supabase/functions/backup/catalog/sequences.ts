/** Sequences: those of identity columns belong to their table, others may be owned by a column. */
import { described } from "./attachments.ts";
import { type Catalog, literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { attachedEntry, type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { RELATION_COLUMNS, relationGranted, type RelationRow, relationsSql } from "./relations.ts";

interface Row extends RelationRow {
  config: string | null;
  unlogged: boolean;
  type: string;
  start: string;
  increment: string;
  minimum: string;
  maximum: string;
  cache: string;
  cycles: boolean;
  /** Of the column it belongs to; names are quoted. */
  table: string | null;
  tableWhole: boolean | null;
  tableUnlogged: boolean | null;
  column: string | null;
  /** The column is an identity column. */
  identity: boolean;
  always: boolean;
}

export const sequences: ObjectType<Row> = {
  name: "sequences",
  query: () => `
    select ${RELATION_COLUMNS}, c.config, c.relpersistence = 'u' as unlogged, format_type(s.seqtypid, null) as type,
      s.seqstart::text as start, s.seqincrement::text as increment, s.seqmin::text as minimum, s.seqmax::text as maximum,
      s.seqcache::text as cache, s.seqcycle as cycles,
      quote_ident(tn.nspname) || '.' || quote_ident(t.relname) as "table", t.relpersistence = 'u' as "tableUnlogged",
      not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = t.oid and e.deptype = 'e')
        as "tableWhole",
      quote_ident(a.attname) as "column", d.deptype is not distinct from 'i' as identity,
      a.attidentity is not distinct from 'a' as always
    from ${relationsSql("'S'")}
    join pg_sequence s on s.seqrelid = c.oid
    left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
      and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    left join pg_class t on t.oid = d.refobjid
    left join pg_namespace tn on tn.oid = t.relnamespace
    left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    order by c.oid`,
  read(row, catalog) {
    // The sequence of an identity column is a part of the table, and dumped as far as the table is.
    const whole = row.identity ? row.tableWhole! && row.whole : row.whole;
    const object: CatalogObject = makeObject({
      kind: "table",
      classId: CLASS.relation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      relkind: "S",
      render: () => [
        ...(whole ? render(row, object, catalog) : []),
        ...relationGranted(catalog, object, row),
      ],
    });
    catalog.add(object);
    if (whole || row.config !== null) addValue(row, object, catalog);
  },
};

function render(row: Row, object: CatalogObject, catalog: Catalog): Draft[] {
  const name = catalog.qualified(row);
  return [
    mainEntry(object, {
      desc: "SEQUENCE",
      owner: row.owner,
      definition: definition(row, name),
      // An identity column's goes with its column; without a command it follows the table's owner too.
      drop: row.identity ? "" : `DROP SEQUENCE ${name};\n`,
    }),
    ...(row.table !== null && !row.identity && row.tableWhole
      ? [attachedEntry(object, {
        desc: "SEQUENCE OWNED BY",
        tag: row.name,
        owner: row.owner,
        section: "pre-data",
        definition: `ALTER SEQUENCE ${name} OWNED BY ${row.table}.${row.column};\n`,
      })]
      : []),
    ...described(catalog, object, { type: "SEQUENCE", name: catalog.quote(row.name), owner: row.owner }),
  ];
}

/** Limits that a sequence of a type has by itself, counting up; counting down it is the mirror. */
const LIMITS: Record<string, [minimum: string, maximum: string]> = {
  smallint: ["-32768", "32767"],
  integer: ["-2147483648", "2147483647"],
  bigint: ["-9223372036854775808", "9223372036854775807"],
};

function definition(row: Row, name: string): string {
  const [lowest, highest] = LIMITS[row.type]!;
  const [minimum, maximum] = row.increment.startsWith("-") ? [lowest, "-1"] : ["1", highest];
  const head = row.identity
    ? `ALTER TABLE ${row.table} ALTER COLUMN ${row.column} ADD GENERATED ${
      row.always ? "ALWAYS" : "BY DEFAULT"
    } AS IDENTITY (\n    SEQUENCE NAME ${name}\n` +
      (row.unlogged === row.tableUnlogged ? "" : `    ${row.unlogged ? "UNLOGGED" : "LOGGED"}\n`)
    : `CREATE ${row.unlogged ? "UNLOGGED " : ""}SEQUENCE ${name}\n` +
      (row.type === "bigint" ? "" : `    AS ${row.type}\n`);
  return [
    head,
    `    START WITH ${row.start}\n`,
    `    INCREMENT BY ${row.increment}\n`,
    row.minimum === minimum ? "    NO MINVALUE\n" : `    MINVALUE ${row.minimum}\n`,
    row.maximum === maximum ? "    NO MAXVALUE\n" : `    MAXVALUE ${row.maximum}\n`,
    `    CACHE ${row.cache}`,
    row.cycles ? "\n    CYCLE" : "",
    row.identity ? "\n);\n" : ";\n",
  ].join("");
}

function addValue(row: Row, sequence: CatalogObject, catalog: Catalog): void {
  const value = catalog.sequenceValues.get(row.oid);
  if (!value) return;
  const object: CatalogObject = makeObject({
    kind: "sequence set",
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    needs: [sequence],
    render: () => [attachedEntry(object, {
      desc: "SEQUENCE SET",
      tag: row.name,
      owner: row.owner,
      section: "data",
      definition: `SELECT pg_catalog.setval(${
        literal(catalog.qualified(row))
      }, ${value.last}, ${value.called});\n`,
      needs: [sequence],
    })],
  });
  catalog.add(object);
}
