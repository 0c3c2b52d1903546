/** Rows of tables: which of them go into the archive, and how they come back. */
import { EXTENSION_DATA } from "../entry.ts";
import type { Catalog } from "./catalog.ts";
import { type Column, parseColumns } from "./columns.ts";
import { IS_PLANNABLE } from "./plannable.ts";
import { HAS_TRUSTED_OWNERS, HAS_TRUSTED_SCHEMA } from "./trusted_owner.ts";
import { attachedEntry, type CatalogObject, makeObject } from "./object.ts";

export interface TableDataRow {
  oid: number;
  kind: string;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
  columns: string | null;
  accessMethod: string | null;
  /** The filter of an extension's configuration table, "" for all rows; null for other tables. */
  config: string | null;
  /** The extension whose rows these are, where pg_dump leaves them out. */
  extension?: string;
  /** The root of a partition that must be loaded through it; quoted. */
  root: string | null;
  /** No function of an untrusted role runs when a query of the table is planned. */
  plannable: boolean;
  /** The owners of table and schema are trusted not to change that during the backup. */
  trusted: boolean;
  /** A lock on the table can keep its owner from changing that. */
  guardable: boolean;
  pages: number;
  heapBytes: number;
  toastBytes: number;
  estimatedRows: number;
}

/** How the rows of the relation c can be read, and what they may be. */
export const READING_COLUMNS =
  `c.relkind = 'r' and ${IS_PLANNABLE} as plannable, ${HAS_TRUSTED_OWNERS} as trusted,
  c.relkind = 'r' and ${HAS_TRUSTED_SCHEMA} and has_table_privilege(c.oid, 'update') as guardable,
  case when c.relkind = 'r' then pg_relation_size(c.oid) / current_setting('block_size')::int8 else 0 end as pages,
  case when c.relkind = 'r' then pg_relation_size(c.oid) else 0 end as "heapBytes",
  case when c.reltoastrelid <> 0 then pg_relation_size(c.reltoastrelid) else 0 end as "toastBytes",
  c.reltuples::float8 as "estimatedRows"`;

/**
 * Columns of a query over relationsSql(). Where rows find their partition by the hash of an enumerated value they are
 * loaded through the root: hashes follow the values' OIDs, which differ in another database.
 */
export const TABLE_DATA_COLUMNS = `c.config,
  case when c.whole and c.relkind = 'r' and c.relispartition and exists (
    select from pg_partition_ancestors(c.oid) a join pg_partitioned_table p on p.partrelid = a.relid
    where (select o.oid from pg_opclass o join pg_am m on m.oid = o.opcmethod
        where o.opcname = 'enum_ops' and o.opcnamespace = 'pg_catalog'::regnamespace and m.amname = 'hash'
      ) = any (p.partclass)
  ) then pg_partition_root(c.oid)::text end as root,
  ${READING_COLUMNS}`;

/** Adds the TABLE DATA of a table that has rows of its own and may be read. */
export function addTableData(row: TableDataRow, table: CatalogObject, catalog: Catalog): void {
  const { extension } = row;
  const isDumped = row.whole || row.config !== null || extension !== undefined;
  if (row.kind !== "r" || !isDumped || catalog.unreadable.has(row.oid)) return;
  const object: CatalogObject = makeObject({
    kind: "table data",
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    needs: [table],
    render: () => {
      const name = catalog.qualified(row);
      const columnList = copyColumns(parseColumns(row.columns), catalog);
      return [attachedEntry(object, {
        desc: extension === undefined ? "TABLE DATA" : EXTENSION_DATA,
        tag: row.name,
        oid: row.oid,
        owner: row.owner,
        section: "data",
        definition: row.root === null
          ? null
          : `-- load via partition root ${row.root.replaceAll(/[\r\n]/g, " ")}`,
        copy: `COPY ${row.root ?? name} ${columnList} FROM stdin;\n`,
        needs: [table],
        data: {
          oid: row.oid,
          schema: row.namespace,
          name: row.name,
          owner: row.owner,
          qualifiedName: name,
          columnList,
          ...(extension === undefined ? {} : { extension }),
          filter: row.config ?? "",
          sliceable: row.accessMethod === "heap" && !row.config && row.plannable &&
            (row.trusted || row.guardable),
          ...(row.trusted ? {} : { guarded: true as const }),
          pages: row.pages,
          heapBytes: row.heapBytes,
          toastBytes: row.toastBytes,
          estimatedRows: row.estimatedRows,
        },
      })];
    },
  });
  catalog.add(object);
  catalog.tableData.set(row.oid, object);
}

/** Of the columns that hold values of their own. */
function copyColumns(columns: readonly Column[], catalog: Catalog): string {
  const names = columns.filter(([, , , , rare]) => !rare?.generated).map(([, name]) => catalog.quote(name));
  return names.length === 0 ? "" : `(${names.join(", ")})`;
}

/**
 * Rows of extensions' tables are loaded in the order that foreign keys among them ask: these keys are there already.
 */
export const CONFIG_KEYS_SQL = `
  select k.conrelid::int8 as "from", k.confrelid::int8 as "to"
  from pg_constraint k
  join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = k.confrelid
    and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
  where k.contype = 'f'`;

export function orderConfigData(keys: { from: number; to: number }[], catalog: Catalog): void {
  for (const { from, to } of keys) {
    const [data, needed] = [catalog.tableData.get(from), catalog.tableData.get(to)];
    if (data && needed) data.needs.push(needed);
  }
}
