/**
 * A copy of a table beside the living one: the same columns, rows and keys in a schema of its own, for a
 * person to compare.
 */
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { CommandError } from "../terminal/errors.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import { sqlEntry } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import { WHOLE } from "../plan/plan_restore.ts";
import { quoted } from "../../supabase/functions/backup/restore_plan/sql_text.ts";
import { runRestore } from "./run_restore.ts";
import type { Target } from "../target/target.ts";

const IDENTIFIER = `(?:"(?:[^"]|"")+"|[^\\s".;(]+)`;
const TABLE_HEAD = new RegExp(`^(CREATE (?:UNLOGGED )?TABLE )${IDENTIFIER}\\.${IDENTIFIER}`);
const KEY_HEAD = new RegExp(`^(ALTER TABLE ONLY )${IDENTIFIER}\\.${IDENTIFIER}`);
/** The statement, before those that set options of columns. */
const FIRST_STATEMENT = /;\n(?=\n*ALTER TABLE )/;

/**
 * Entries of an archive that makes `schema` with copies of `tables` (`schema.table`). Throws CommandError for
 * one that cannot be copied so.
 */
export function besideEntries(all: readonly Entry[], tables: readonly string[], schema: string): Entry[] {
  let last = all.reduce((most, { dumpId, dependencies }) => Math.max(most, dumpId, ...dependencies), 0);
  const made = sqlEntry(++last, `schema ${schema}`, `CREATE SCHEMA ${quoted(schema)};\n`, "pre-data");
  const heading = all.filter(({ desc }) => ["ENCODING", "STDSTRINGS", "SEARCHPATH"].includes(desc));
  const copies = tables.map((name) => copyOf(all, name, schema));
  const bySection = (section: Entry["section"]) => copies.flat().filter((entry) => entry.section === section);
  return [...heading, made, ...bySection("pre-data"), ...bySection("data"), ...bySection("post-data")];
}

function copyOf(all: readonly Entry[], name: string, schema: string): Entry[] {
  const [namespace, tag] = partsOf(name);
  const table = all.find((entry) =>
    entry.desc === "TABLE" && entry.namespace === namespace && entry.tag === tag
  );
  const view = all.find((entry) =>
    /VIEW$/.test(entry.desc) && entry.namespace === namespace && entry.tag === tag
  );
  if (view !== undefined) {
    throw new CommandError(
      `${name} is a ${view.desc.toLowerCase()}: it has no rows of its own`,
      "Copy the tables that it reads, or restore it where it was: without --into-schema.",
    );
  }
  if (table === undefined) {
    throw new CommandError(
      `The backup has no table "${namespace}.${tag}"`,
      "Names are schema.table, not quoted.",
    );
  }
  const definition = table.definition!.split(FIRST_STATEMENT)[0]!.replace(/;?\n*$/, ";\n");
  if (/\n\)?\s*INHERITS \(/.test(definition)) {
    throw new CommandError(
      `${name} inherits from another table: a copy beside it would show in that one`,
      "Restore it into another database.",
    );
  }
  const place = `${quoted(schema)}.${quoted(tag)}`;
  const beside = { namespace: schema, owner: null, dependencies: [] as number[] };
  const copy: Entry = {
    ...table,
    ...beside,
    // A copy of a partitioned table has the rows of its partitions itself.
    definition: definition.replace(TABLE_HEAD, `$1${place.replaceAll("$", "$$$$")}`).replace(
      /\nPARTITION BY [^\n]*;\n$/,
      ";\n",
    ),
  };
  const data = leavesOf(all, table.dumpId).flatMap((leaf) =>
    all.filter((entry) => entry.desc === "TABLE DATA" && entry.dependencies[0] === leaf)
  ).map((entry) => ({
    ...entry,
    ...beside,
    dependencies: [table.dumpId],
    copy: entry.copy!.replace(
      new RegExp(`^(COPY )${IDENTIFIER}\\.${IDENTIFIER}`),
      `$1${place.replaceAll("$", "$$$$")}`,
    ),
  }));
  const keys = all.filter(({ desc, dependencies, definition }) =>
    desc === "CONSTRAINT" && dependencies.includes(table.dumpId) &&
    / (PRIMARY KEY|UNIQUE)/.test(definition ?? "")
  ).map((entry) => ({
    ...entry,
    ...beside,
    dependencies: [table.dumpId],
    definition: entry.definition!.split(FIRST_STATEMENT)[0]!.replace(/;?\n*$/, ";\n")
      .replace(KEY_HEAD, `$1${place.replaceAll("$", "$$$$")}`),
  }));
  return [copy, ...data, ...keys];
}

/** The table, or in place of a partitioned one its partitions. */
function leavesOf(all: readonly Entry[], table: number): number[] {
  const partitions = all.filter(({ desc, dependencies }) =>
    desc === "TABLE ATTACH" && dependencies[1] === table
  )
    .map(({ dependencies }) => dependencies[0]!);
  return partitions.length === 0 ? [table] : partitions.flatMap((partition) => leavesOf(all, partition));
}

export interface Beside {
  /** The living table's name and the copy's, quoted. */
  living: string;
  copy: string;
  rows: number;
}

/** Creates the copies in one transaction; returns the rows that each has. */
export async function restoreBeside(
  archive: ArchiveFile,
  target: Target,
  tables: readonly string[],
  schema: string,
): Promise<Beside[]> {
  const options = { ...WHOLE, strict: true };
  await runRestore(archive, target, { entries: besideEntries(archive.entries, tables, schema) }, options);
  return await Promise.all(tables.map(async (name) => {
    const [namespace, tag] = partsOf(name);
    const copy = `${quoted(schema)}.${quoted(tag)}`;
    const [row] = await target.session.sql.unsafe<{ rows: string }[]>(`select count(*) as rows from ${copy}`);
    return { living: `${quoted(namespace)}.${quoted(tag)}`, copy, rows: Number(row!.rows) };
  }));
}

function partsOf(name: string): [schema: string, table: string] {
  const dot = name.indexOf(".");
  return dot < 0 ? ["public", name] : [name.slice(0, dot), name.slice(dot + 1)];
}
