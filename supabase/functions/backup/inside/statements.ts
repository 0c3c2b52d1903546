/**
 * For a person: the statements that compare copies with the living tables, merge them, and create tables again that are
 * gone.
 */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { passesOf } from "../restore/passes.ts";
import { type Defaults, definitionOf } from "../restore/statements.ts";
import { existingObjects } from "../restore_plan/existing_objects.ts";
import { mergeStatements } from "../restore_plan/merge_sql.ts";
import { select } from "../restore_plan/select_entries.ts";
import { quoted } from "../restore_plan/sql_text.ts";
import type { RestoreTask, Statements } from "./inside_client.ts";
import { plainTable } from "./plain_table.ts";

/** As a restore has them: names in an archive are qualified, and bodies may name what comes later. */
const SETTINGS = "set local search_path = pg_catalog, pg_temp;\nset local check_function_bodies = off;\n";

export async function statementsFor(
  session: Session,
  archive: OpenArchive,
  { into_schema: into, exceptions }: RestoreTask,
  tables: readonly [schema: string, name: string][],
): Promise<Statements> {
  const lost = new Set(exceptions.map(({ entry }) => entry));
  const all = { see: [] as string[], insert: [] as string[], update: [] as string[] };
  const gone: [string, string][] = [];
  const existing = await existingObjects({ session, ...await namesIn(session) });
  for (const [schema, name] of tables) {
    if (lost.has(`TABLE ${schema}.${name}`)) continue;
    if (!existing.hasTable(schema, name)) {
      gone.push([schema, name]);
      continue;
    }
    const living = `${quoted(schema)}.${quoted(name)}`;
    const copy = `${quoted(into!)}.${quoted(name)}`;
    const [see, insert, update] = await mergeStatements(session, living, copy);
    all.see.push(
      see?.sql ?? `-- ${living.replaceAll("\n", " ")} has no primary key that tells which rows are the same`,
    );
    if (insert) all.insert.push(insert.sql);
    if (update) all.update.push(update.sql);
  }
  return {
    ...joined("see_differences", all.see),
    ...joined("insert_missing", all.insert),
    ...joined("update_changed", all.update),
    ...(gone.length === 0 ? {} : { create_again: createAgain(archive.entries, gone, into!, existing.has) }),
  };
}

function joined(name: keyof Statements, statements: readonly string[]): Statements {
  return statements.length === 0 ? {} : { [name]: statements.map((sql) => `${sql};\n`).join("\n") };
}

/**
 * Returns the archive's definitions of tables, with what they need and the database lacks, and rows from the copies.
 */
function createAgain(
  entries: readonly Entry[],
  tables: readonly [schema: string, name: string][],
  into: string,
  has: (entry: Entry) => boolean,
): string {
  const names = tables.map(([schema, name]) => `${schema}.${name}`);
  const wanted = { tables: names, schemas: [], schemaOnly: false, dataOnly: false, withDependents: true };
  const chosen = select(entries, wanted, has);
  const { main, grants, refreshes } = passesOf(chosen, { owners: true });
  const rows = tables.map(([schema, name]) => insertAll(entries, schema, name, into)).join("\n");
  let defaults: Defaults = { tablespace: null, tableam: null };
  const sql = (some: readonly Entry[]) =>
    some.map((entry) => {
      const part = definitionOf(entry, defaults, { owners: true });
      defaults = part.defaults;
      return part.sql;
    }).filter((text) => text !== "").join("\n");
  const first = main.findIndex(({ section }) => section === "data" || section === "post-data");
  const before = first < 0 ? main : main.slice(0, first);
  const after = main.slice(before.length).filter(({ desc }) => desc !== "TABLE DATA");
  return [SETTINGS + sql(before), rows, sql([...after, ...grants, ...refreshes])].filter((text) =>
    text !== ""
  ).join("\n");
}

function insertAll(entries: readonly Entry[], schema: string, name: string, into: string): string {
  const { columns } = plainTable(entries, schema, name);
  if (columns.length === 0) return "";
  const list = columns.map((column) => quoted(column.name)).join(", ");
  const values = columns.map((column) =>
    `${quoted(column.name)}${column.wasType === null ? "" : `::${column.wasType}`}`
  );
  return `insert into ${quoted(schema)}.${quoted(name)} (${list}) overriding system value\n` +
    `  select ${values.join(", ")} from ${quoted(into)}.${quoted(name)};`;
}

async function namesIn({ sql }: Session): Promise<{ schemas: Set<string>; extensions: Map<string, string> }> {
  const schemas = await sql.unsafe<{ name: string }[]>("select nspname as name from pg_catalog.pg_namespace");
  const extensions = await sql.unsafe<{ name: string; schema: string }[]>(`
    select extname as name, nspname as schema
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace`);
  return {
    schemas: new Set(schemas.map(({ name }) => name)),
    extensions: new Map(extensions.map(({ name, schema }) => [name, schema])),
  };
}
