/** CREATE TABLE and what only ALTER TABLE can say (pg_dump.c, dumpTableSchema). */
import type { Catalog } from "./catalog.ts";
import type { Check } from "./check_constraints.ts";
import type { Column } from "./columns.ts";
import { type Defaults, isPrinted } from "./defaults.ts";
import { storageParameters } from "./options.ts";
import type { TableRow } from "./table_row.ts";

/** What a table and a materialized view have in common. */
type Relation =
  & Pick<TableRow, "namespace" | "name" | "replicaIdentity" | "forcesRowSecurity" | "accessMethod">
  & { kind: string; bound?: string | null };

const STORAGES = { p: "PLAIN", e: "EXTERNAL", x: "EXTENDED", m: "MAIN" };
const COMPRESSIONS = { p: "pglz", l: "lz4" };

/** `checks` are those that are written inside; `defaults` those that are. */
export function tableDefinition(
  row: TableRow,
  columns: readonly Column[],
  type: string,
  defaults: Defaults,
  checks: readonly Check[],
  catalog: Catalog,
): string {
  const lines = [
    ...columns.flatMap((column) => columnLine(row, column, defaults, catalog)),
    ...checks.filter(({ local }) => local || row.bound !== null)
      .map(({ name, definition }) => `CONSTRAINT ${catalog.quote(name)} ${definition}`),
  ].map((line) => `\n    ${line}`).join(",");
  const inherited = row.bound === null ? row.parents ?? [] : [];
  const parameters = [
    ...storageParameters(catalog, row.options),
    ...storageParameters(catalog, row.toastOptions, "toast."),
  ];
  return [
    `CREATE ${row.unlogged ? "UNLOGGED " : ""}${type} ${catalog.qualified(row)}`,
    row.ofType === null ? "" : ` OF ${row.ofType}`,
    // A typed table without a column of its own has no list at all.
    lines === "" && row.ofType !== null ? "" : ` (${lines}\n)`,
    inherited.length > 0 ? `\nINHERITS (${inherited.map(({ name }) => name).join(", ")})` : "",
    row.partitionKey === null ? "" : `\nPARTITION BY ${row.partitionKey}`,
    row.server === null ? "" : `\nSERVER ${catalog.quote(row.server)}`,
    parameters.length > 0 ? `\nWITH (${parameters.join(", ")})` : "",
    row.serverOptions === null ? "" : `\nOPTIONS (\n    ${row.serverOptions}\n)`,
    ";\n",
    ...columns.flatMap((column) => columnCommands(row, column, catalog)),
    tableCommands(row, catalog),
  ].join("");
}

/** A column in CREATE TABLE; none when a parent or the table's type brings it. */
function columnLine(row: TableRow, column: Column, defaults: Defaults, catalog: Catalog): string[] {
  const [number, name, type, , rare] = column;
  if (!isPrinted(row, column)) {
    // Its not null may be declared here all the same; since 18 there are words for that.
    return rare?.inherited && catalog.facts.version >= 180000 && hasOwnNotNull(column)
      ? [notNullConstraint(column, catalog, ` ${catalog.quote(name)}`)]
      : [];
  }
  const expression = defaults.get(number)?.inlineExpression() ?? null;
  const notNull = row.bound !== null && column[3] && !rare?.notNullInvalid || hasOwnNotNull(column);
  if (row.ofType !== null && expression === null && !notNull) return [];
  return [[
    catalog.quote(name),
    row.ofType === null ? ` ${type}` : "",
    expression === null ? "" : defaultClause(expression, rare?.generated),
    notNull ? ` ${notNullConstraint(column, catalog)}` : "",
    rare?.collation === undefined ? "" : ` COLLATE ${rare.collation}`,
  ].join("")];
}

function defaultClause(expression: string, generated: "s" | "v" | undefined): string {
  if (generated === "s") return ` GENERATED ALWAYS AS (${expression}) STORED`;
  if (generated === "v") return ` GENERATED ALWAYS AS (${expression})`;
  return ` DEFAULT ${expression}`;
}

/** The column is not null by its own declaration, not only by a parent's. */
function hasOwnNotNull([, , , notNull, rare]: Column): boolean {
  return notNull && !rare?.notNullInherited && !rare?.notNullInvalid && !rare?.parent?.notNull;
}

function notNullConstraint([, , , , rare]: Column, catalog: Catalog, columnName = ""): string {
  const name = rare?.notNullName === undefined ? "" : `CONSTRAINT ${catalog.quote(rare.notNullName)} `;
  return `${name}NOT NULL${columnName}${rare?.notNullNoInherit ? " NO INHERIT" : ""}`;
}

/** Returns what CREATE TABLE has no words for. */
export function columnCommands(row: Relation, column: Column, catalog: Catalog): string[] {
  const [, name, , , rare] = column;
  if (rare === null) return [];
  const foreign = row.kind === "f" ? "FOREIGN " : "";
  const table = catalog.qualified(row);
  const command = (change: string) =>
    `ALTER ${foreign}TABLE ONLY ${table} ALTER COLUMN ${catalog.quote(name)} ${change};\n`;
  const commands: string[] = [];
  if (!isPrinted(row, column) && hasOwnNotNull(column) && catalog.facts.version < 180000) {
    commands.push(command("SET NOT NULL"));
  }
  if (rare.statistics !== undefined) commands.push(command(`SET STATISTICS ${rare.statistics}`));
  if (rare.storage) commands.push(command(`SET STORAGE ${STORAGES[rare.storage]}`));
  if (rare.compression) commands.push(command(`SET COMPRESSION ${COMPRESSIONS[rare.compression]}`));
  if (rare.options !== undefined) commands.push(command(`SET (${rare.options})`));
  if (rare.foreignOptions !== undefined && row.kind === "f") {
    const only = catalog.facts.version >= 170000 ? "ONLY " : "";
    commands.push(
      `ALTER FOREIGN TABLE ${only}${table} ALTER COLUMN ${
        catalog.quote(name)
      } OPTIONS (\n    ${rare.foreignOptions}\n);\n`,
    );
  }
  return commands;
}

export function tableCommands(row: Relation, catalog: Catalog): string {
  const table = catalog.qualified(row);
  const identities = { d: "", i: "", n: "NOTHING", f: "FULL" };
  const identity = row.kind === "f" || row.kind === "v" ? "" : identities[row.replicaIdentity];
  return [
    identity === "" ? "" : `\nALTER TABLE ONLY ${table} REPLICA IDENTITY ${identity};\n`,
    row.forcesRowSecurity ? `\nALTER TABLE ONLY ${table} FORCE ROW LEVEL SECURITY;\n` : "",
  ].join("");
}
