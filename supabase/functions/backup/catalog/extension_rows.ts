/**
 * Rows that pg_dump leaves out in silence: those of tables which are members of an extension and not declared as its
 * configuration, such as queues of pgmq. They go into entries of our own.
 */
import { EXTENSION_SEQUENCE, type TableData, type Warning } from "../entry.ts";
import { type Catalog, literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { attachedEntry, type CatalogObject, makeObject } from "./object.ts";
import { FIRST_USER_OID, isUserSchema } from "./selection.ts";
import { addTableData, READING_COLUMNS, type TableDataRow } from "./table_data.ts";

/** What they hold is under way, or of this server alone. Requests of pg_net hold tokens, and would be sent again. */
const TRANSIENT = ["pg_net", "pg_graphql", "pg_repack", "pg_stat_statements", "wrappers"];

/**
 * The relation c is a member of extension x that pg_dump knows nothing of but its name: an SQL condition of both, and
 * of c's schema n.
 */
const IS_FORGOTTEN = `(${isUserSchema("n")} and x.oid >= ${FIRST_USER_OID}
    and x.extname not in (${TRANSIENT.map(literal).join(", ")})
    and not exists (select from pg_extension other where c.oid = any (other.extconfig)))`;

const MEMBERSHIP = `
    join pg_namespace n on n.oid = c.relnamespace
    join pg_depend m on m.classid = 'pg_class'::regclass and m.objid = c.oid and m.objsubid = 0 and m.deptype = 'e'
      and m.refclassid = 'pg_extension'::regclass
    join pg_extension x on x.oid = m.refobjid`;

/** OIDs of such tables that have, or had, rows; a query. */
export const FORGOTTEN_TABLES = `
    select c.oid from pg_class c ${MEMBERSHIP}
    where c.relkind = 'r' and ${IS_FORGOTTEN} and pg_relation_size(c.oid) > 0`;

interface Row extends TableDataRow {
  extension: string;
  extensionId: number;
}

export const extensionRows: ObjectType<Row> = {
  name: "rows of extensions",
  query: () => `
    select c.oid::int8, c.relkind as kind, n.nspname as namespace, c.relname as name, pg_get_userbyid(c.relowner) as owner,
      x.extname as extension, x.oid::int8 as "extensionId", false as whole, null as config, null as root,
      (select a.amname from pg_am a where a.oid = c.relam) as "accessMethod",
      (select json_agg(json_build_array(a.attnum, a.attname, '', false,
          case when a.attgenerated <> '' then json_build_object('generated', a.attgenerated) end) order by a.attnum)::text
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      ${READING_COLUMNS}
    from pg_class c ${MEMBERSHIP}
    where c.oid in (${FORGOTTEN_TABLES})
    order by c.oid`,
  read(row, catalog) {
    addTableData(row, extensionOf(row, catalog), catalog);
  },
};

interface SequenceRow {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  extensionId: number;
  last: string;
}

/** Of columns of such tables: a queue that begins at 1 again would number messages twice. */
export const extensionSequences: ObjectType<SequenceRow> = {
  name: "sequences of extensions",
  query: () => `
    select q.oid::int8, qn.nspname as namespace, q.relname as name, pg_get_userbyid(q.relowner) as owner,
      x.oid::int8 as "extensionId", last.value::text as last
    from pg_class c ${MEMBERSHIP}
    join pg_depend o on o.refclassid = 'pg_class'::regclass and o.refobjid = c.oid and o.classid = 'pg_class'::regclass
      and o.deptype in ('a', 'i')
    join pg_class q on q.oid = o.objid and q.relkind = 'S'
    join pg_namespace qn on qn.oid = q.relnamespace
    cross join lateral (
      select case when has_sequence_privilege(q.oid, 'usage, select') then pg_sequence_last_value(q.oid) end as value) last
    where c.relkind = 'r' and ${IS_FORGOTTEN} and last.value is not null
    order by q.oid`,
  read(row, catalog) {
    const object: CatalogObject = makeObject({
      kind: "sequence set",
      namespace: row.namespace,
      name: row.name,
      render: () => [attachedEntry(object, {
        desc: EXTENSION_SEQUENCE,
        tag: row.name,
        oid: row.oid,
        owner: row.owner,
        section: "data",
        definition: null,
        copy: `SELECT pg_catalog.setval(${literal(catalog.qualified(row))}, ${row.last}, true);\n`,
        needs: [extensionOf(row, catalog)],
      })],
    });
    catalog.add(object);
  },
};

function extensionOf({ extensionId }: { extensionId: number }, catalog: Catalog): CatalogObject {
  return catalog.find(CLASS.extension, extensionId)!;
}

/** Returns the warning that names the rows of such a table; none for a table of another kind, or without rows. */
export function extensionRowsWarning(
  { schema, name, extension }: Pick<TableData, "schema" | "name" | "extension">,
  rows: number,
): Warning[] {
  if (extension === undefined || rows === 0) return [];
  return [{
    code: "extension_rows",
    object: `${schema}.${name}`,
    message: `${rows} rows belong to the extension "${extension}": pg_restore leaves them out, and ` +
      "`supabase-backup restore` restores them where the target has the table",
  }];
}
