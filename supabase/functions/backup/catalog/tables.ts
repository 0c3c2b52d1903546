/** Plain, partitioned and foreign tables: definition, parts of it that may stand apart, rows. */
import { commentEntry } from "./attachments.ts";
import type { Catalog } from "./catalog.ts";
import { addChecks, type Check, CHECKS_SQL, inlineCheckComments } from "./check_constraints.ts";
import { CLASS } from "./class_ids.ts";
import { type Column, columnsSql, parseColumns } from "./columns.ts";
import { addDefaults, type Defaults } from "./defaults.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { foreignOptionsSql } from "./options.ts";
import { RELATION_COLUMNS, relationDescribed, relationGranted, relationsSql } from "./relations.ts";
import { addTableData, TABLE_DATA_COLUMNS } from "./table_data.ts";
import { tableDefinition } from "./table_definition.ts";
import type { TableRow } from "./table_row.ts";

export const tables: ObjectType<TableRow> = {
  name: "tables",
  query: (version) => `
    select ${RELATION_COLUMNS}, c.relkind as kind, c.relpersistence = 'u' ${
    version >= 180000 ? "and c.relkind <> 'p'" : ""
  } as unlogged,
      case when c.whole and c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as bound,
      case when c.whole and c.relkind = 'p' then pg_get_partkeydef(c.oid) end as "partitionKey",
      case when c.reloftype <> 0 then format_type(c.reloftype, null) end as "ofType",
      coalesce((select s.spcname from pg_tablespace s where s.oid = c.reltablespace), '') as tablespace,
      (select m.amname from pg_am m where m.oid = c.relam) as "accessMethod",
      c.reloptions as options,
      (select s.reloptions from pg_class s where s.oid = c.reltoastrelid) as "toastOptions",
      c.relreplident as "replicaIdentity", c.relforcerowsecurity as "forcesRowSecurity",
      case when c.whole and c.child then (
        select json_agg(json_build_object('oid', p.oid::int8, 'name', format('%I.%I', pn.nspname, p.relname))
          order by i.inhseqno)
        from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid) end as parents,
      case when c.whole or c.config is not null then ${columnsSql(version)} end as columns,
      case when (c.whole or c.config is not null) and ${
    version >= 180000 ? "true" : "c.relchecks > 0"
  } then ${CHECKS_SQL} end as checks,
      f.srvname as server, ${foreignOptionsSql("ft.ftoptions")} as "serverOptions",
      ${TABLE_DATA_COLUMNS}
    from ${relationsSql("'r', 'p', 'f'")}
    left join pg_foreign_table ft on ft.ftrelid = c.oid
    left join pg_foreign_server f on f.oid = ft.ftserver
    order by c.oid`,
  read(row, catalog) {
    let defaults: Defaults = new Map();
    let checks: [CatalogObject, Check][] = [];
    const object: CatalogObject = makeObject({
      kind: "table",
      classId: CLASS.relation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      relkind: row.kind,
      render: () =>
        row.whole ? render(row, object, defaults, checks, catalog) : relationGranted(catalog, object, row),
    });
    catalog.add(object);
    // Of an extension's configuration table they are not written, but what they need orders the rows.
    defaults = addDefaults(row, object, catalog);
    checks = addChecks(row, object, catalog);
    if (row.bound !== null) addAttachment(row, object, catalog);
    addTableData(row, object, catalog);
  },
};

const TYPES = { r: "TABLE", p: "TABLE", f: "FOREIGN TABLE" };

function render(
  row: TableRow,
  object: CatalogObject,
  defaults: Defaults,
  checks: [CatalogObject, Check][],
  catalog: Catalog,
): Draft[] {
  const type = TYPES[row.kind];
  const columns = parseColumns(row.columns);
  const names = new Map(columns.map(([number, name]) => [number, name]));
  const inline = checks.filter(([check]) => check.form === "inline");
  return [
    mainEntry(object, {
      desc: type,
      owner: row.owner,
      tablespace: row.kind === "f" ? null : row.tablespace,
      // Partitioned tables have had one since 17, and so have archives of that version a field that tells them apart.
      tableam: row.kind === "f" ? null : row.accessMethod,
      ...(row.kind === "p" ? { partitioned: true } : {}),
      definition: tableDefinition(row, columns, type, defaults, inline.map(([, check]) => check), catalog),
      drop: `DROP ${type} ${catalog.qualified(row)};\n`,
    }),
    ...relationDescribed(catalog, object, { type, owner: row.owner, columns: names }),
    ...notNullComments(row, columns, object, catalog),
    ...inlineCheckComments(row, object, inline, catalog),
    ...relationGranted(catalog, object, row),
  ];
}

/** Comments on not null, which is a constraint since 18. */
function notNullComments(row: TableRow, columns: Column[], object: CatalogObject, catalog: Catalog): Draft[] {
  return columns.flatMap(([, , , , rare]) => {
    if (rare?.notNullComment === undefined) return [];
    const type = `CONSTRAINT ${catalog.quote(rare.notNullName!)} ON`;
    const what = { type, name: catalog.quote(row.name), owner: row.owner };
    return [commentEntry(catalog, object, what, rare.notNullComment)];
  });
}

/** A partition is made as a table of its own, so that it restores without its parent, and attached afterwards. */
function addAttachment(row: TableRow, table: CatalogObject, catalog: Catalog): void {
  const [parent] = row.parents!;
  const needed = catalog.find(CLASS.relation, parent!.oid);
  const attachment: CatalogObject = makeObject({
    kind: "table attach",
    namespace: row.namespace,
    name: row.name,
    needs: needed ? [table, needed] : [table],
    render: () => [
      mainEntry(attachment, {
        desc: "TABLE ATTACH",
        owner: row.owner,
        definition: `ALTER TABLE ONLY ${parent!.name} ATTACH PARTITION ${
          catalog.qualified(row)
        } ${row.bound};\n`,
      }),
    ],
  });
  catalog.add(attachment);
}
