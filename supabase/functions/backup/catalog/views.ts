/**
 * Views and materialized views. A view is made by its rule; where the rule needs what needs the view, it stands in with
 * null columns.
 */
import { type Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { columnsSql, parseColumns } from "./columns.ts";
import { addDefaults } from "./defaults.ts";
import type { ObjectType } from "./object_type.ts";
import { dependsOnExtensions } from "./functions.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { storageParameters } from "./options.ts";
import { addRefresh } from "./refreshes.ts";
import {
  RELATION_COLUMNS,
  relationDescribed,
  relationGranted,
  type RelationRow,
  relationsSql,
} from "./relations.ts";
import { columnCommands, tableCommands } from "./table_definition.ts";

interface Row extends RelationRow {
  kind: "v" | "m";
  options: string[] | null;
  checkOption: "LOCAL" | "CASCADED" | null;
  toastOptions: string[] | null;
  tablespace: string;
  accessMethod: string | null;
  replicaIdentity: "d" | "n" | "f" | "i";
  forcesRowSecurity: boolean;
  populated: boolean;
  /** For parseColumns(). */
  columns: string | null;
  rule: number;
  /** Without the semicolon. */
  body: string;
}

export const views: ObjectType<Row> = {
  name: "views",
  query: (version) => `
    select ${RELATION_COLUMNS}, c.relkind as kind,
      array_remove(array_remove(c.reloptions, 'check_option=local'), 'check_option=cascaded') as options,
      case when 'check_option=local' = any (c.reloptions) then 'LOCAL'
        when 'check_option=cascaded' = any (c.reloptions) then 'CASCADED' end as "checkOption",
      (select s.reloptions from pg_class s where s.oid = c.reltoastrelid) as "toastOptions",
      coalesce((select s.spcname from pg_tablespace s where s.oid = c.reltablespace), '') as tablespace,
      (select m.amname from pg_am m where m.oid = c.relam) as "accessMethod",
      c.relreplident as "replicaIdentity", c.relforcerowsecurity as "forcesRowSecurity",
      c.relispopulated as populated,
      case when c.whole then ${columnsSql(version)} end as columns,
      (select r.oid::int8 from pg_rewrite r where r.ev_class = c.oid and r.rulename = '_RETURN') as rule,
      case when c.whole then rtrim(pg_get_viewdef(c.oid), ';') end as body
    from ${relationsSql("'v', 'm'")}
    order by c.oid`,
  read(row, catalog) {
    const view: CatalogObject = makeObject({
      kind: "table",
      classId: CLASS.relation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      relkind: row.kind,
      render: () => row.whole ? render(row, view, catalog) : relationGranted(catalog, view, row),
    });
    catalog.add(view);
    if (!row.whole) return;
    addDefaults(row, view, catalog);
    addSelectRule(row, view, catalog);
    if (row.kind === "m") addRefresh(row, view, catalog);
  },
};

function render(row: Row, view: CatalogObject, catalog: Catalog): Draft[] {
  const type = row.kind === "m" ? "MATERIALIZED VIEW" : "VIEW";
  const columns = new Map(parseColumns(row.columns).map(([number, name]) => [number, name]));
  const definition = row.kind === "m"
    ? materializedDefinition(row, view, catalog)
    : view.form === "dummy"
    ? `CREATE VIEW ${catalog.qualified(row)} AS\n${nullColumns(row, catalog)};\n`
    : viewDefinition("CREATE VIEW", row, catalog);
  return [
    mainEntry(view, {
      desc: type,
      owner: row.owner,
      section: view.form === "postponed" ? "post-data" : "pre-data",
      tablespace: row.kind === "m" ? row.tablespace : null,
      tableam: row.kind === "m" ? row.accessMethod : null,
      definition: definition + tableCommands(row, catalog),
      drop: `DROP ${type} ${catalog.qualified(row)};\n`,
    }),
    ...relationDescribed(catalog, view, { type, owner: row.owner, columns }),
    ...relationGranted(catalog, view, row),
  ];
}

function viewDefinition(command: string, row: Row, catalog: Catalog): string {
  const parameters = storageParameters(catalog, row.options);
  return [
    `${command} ${catalog.qualified(row)}`,
    parameters.length > 0 ? ` WITH (${parameters.join(", ")})` : "",
    ` AS\n${row.body}`,
    row.checkOption === null ? "" : `\n  WITH ${row.checkOption} CHECK OPTION`,
    ";\n",
  ].join("");
}

function materializedDefinition(row: Row, view: CatalogObject, catalog: Catalog): string {
  const name = catalog.qualified(row);
  const parameters = [
    ...storageParameters(catalog, row.options),
    ...storageParameters(catalog, row.toastOptions, "toast."),
  ];
  return [
    `CREATE MATERIALIZED VIEW ${name}`,
    parameters.length > 0 ? `\nWITH (${parameters.join(", ")})` : "",
    ` AS\n${row.body}\n  WITH NO DATA;\n`,
    dependsOnExtensions(catalog, view, `MATERIALIZED VIEW ${name}`),
    ...parseColumns(row.columns).flatMap((column) => columnCommands(row, column, catalog)),
  ].join("");
}

/** Names, types and collations as in the view, and nothing to depend on. */
function nullColumns(row: Row, catalog: Catalog): string {
  const columns = parseColumns(row.columns).map(([, name, type, , rare]) => {
    const collation = rare?.collation === undefined ? "" : ` COLLATE ${rare.collation}`;
    return `\n    NULL::${type}${collation} AS ${catalog.quote(name)}`;
  });
  return `SELECT${columns.join(",")}`;
}

/** The rule that is the view's definition: an object because what the view needs is recorded as the rule's. */
function addSelectRule(row: Row, view: CatalogObject, catalog: Catalog): void {
  const rule: CatalogObject = makeObject({
    kind: "rule",
    classId: CLASS.rule,
    oid: row.rule,
    namespace: row.namespace,
    name: "_RETURN",
    key: [row.name],
    whole: view,
    form: "inline",
    render: () =>
      rule.form === "inline" ? [] : [
        mainEntry(rule, {
          desc: "RULE",
          tag: `${row.name} _RETURN`,
          owner: row.owner,
          section: "post-data",
          definition: viewDefinition("CREATE OR REPLACE VIEW", row, catalog),
          // A view's own rule cannot be dropped, only be made to need nothing.
          drop: `CREATE OR REPLACE VIEW ${catalog.qualified(row)} AS\n${nullColumns(row, catalog)};\n`,
        }),
      ],
  });
  catalog.add(rule);
  view.needs.push(rule);
}
