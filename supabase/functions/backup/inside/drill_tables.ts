/**
 * Tables of a drill, one after another: rows in, read back and compared, indexes and keys made, emptied where space is
 * short.
 */
import { ArchiveError } from "../archive/primitives.ts";
import { firstRow } from "../archive/row_batches.ts";
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { isFatal, isServerError, words } from "../restore/server_error.ts";
import type { Drill, DrillState } from "./drill_run.ts";
import { define, failed, refused } from "./drill_definitions.ts";
import { compareSlice, nameOf } from "./drill_slice.ts";
import { expectSaid } from "./restore_beside.ts";

/** Returns false when the next invocation has to go on. */
export async function drillTables(run: Drill): Promise<boolean> {
  const { work, state, lists, record, scratch } = run;
  for (; state.index < lists.tables.length; nextTable(state)) {
    const entry = lists.tables[state.index]!;
    const name = `${entry.namespace}.${entry.tag}`;
    try {
      if (!await fill(run, entry)) return false;
      state.passed++;
    } catch (error) {
      await scratch.sql.unsafe("rollback");
      const why = whyFailed(error);
      if (why === null) throw error;
      state.checks.push(failed(`rows: ${name}`, why));
    }
    for (const index of lists.indexes.get(entry.dependencies[0]!) ?? []) {
      const error = await define(run, index);
      if (error !== null) state.checks.push(refused(index, error));
    }
    const full = await tablesToEmpty(run, entry);
    // The next invocation begins with the next table.
    const next = structuredClone(state);
    nextTable(next);
    await work.client.restored({ ...run.task, state: next }, `rows of ${name}`);
    await empty(run, full);
    work.share.worked = true;
    work.share.spendEntries(8);
    if (work.share.isUsed && state.index + 1 < lists.tables.length) return false;
  }
  await record("rows");
  return true;
}

function nextTable(state: DrillState): void {
  Object.assign(state, { index: state.index + 1, done: null, there: 0, byRow: false });
}

/** Fills a table, or the rest of it; returns whether it is complete. */
async function fill(run: Drill, entry: Entry): Promise<boolean> {
  const { work, state, task, archive, record } = run;
  const said = archive.said(entry);
  await startOverWhereUnsure(run, entry);
  for (let ended = false; !ended;) {
    if (work.share.isUsed) return false;
    state.done ??= {
      place: await firstRow(archive.source, entry.dumpId, said.begin),
      rows: 0,
      adler32: 1,
    };
    const before = state.done.rows;
    const slice = await compareSlice(run, entry);
    ended = slice.ended;
    state.there += state.done.rows - before;
    task.rows += state.done.rows - before;
    task.raw_bytes += slice.bytes;
    if (!ended) {
      const full = await tablesToEmpty(run, entry);
      await record(`${entry.namespace}.${entry.tag}: ${state.done.rows} of ${said.rows} rows`);
      await empty(run, full);
    }
  }
  expectSaid(`${entry.namespace}.${entry.tag}`, state.done!, said);
  return true;
}

/**
 * Rows are committed in the scratch database before that is recorded in the other: a death in between leaves more than
 * was recorded.
 */
async function startOverWhereUnsure({ state, scratch }: Drill, entry: Entry): Promise<void> {
  const table = nameOf(entry);
  const [row] = await scratch.sql.unsafe<{ rows: string }[]>(
    `select pg_catalog.count(*) as rows from ${table}`,
  );
  if (Number(row!.rows) === state.there) return;
  await scratch.sql.unsafe(`truncate only ${table}`);
  state.done = null;
  state.there = 0;
}

/** Returns the tables that have to be emptied because the database has more bytes than it may, and notes them. */
async function tablesToEmpty({ scratch, state, lists }: Drill, entry: Entry): Promise<string[]> {
  const [row] = await scratch.sql.unsafe<{ bytes: string }[]>(
    "select pg_catalog.pg_database_size(pg_catalog.current_database()) as bytes",
  );
  if (Number(row!.bytes) <= state.bytes!) return [];
  const filled = lists.tables.slice(0, state.index).map(nameOf).filter((name) =>
    !state.emptied.includes(name)
  );
  const all = [...new Set([...filled, nameOf(entry)])];
  state.emptied.push(...all.filter((name) => !state.emptied.includes(name)));
  state.there = 0;
  return all;
}

/**
 * To be called when that is recorded: a table that a death leaves full starts over, and no empty one is taken for full.
 */
async function empty({ scratch }: Drill, tables: readonly string[]): Promise<void> {
  if (tables.length > 0) await scratch.sql.unsafe(`truncate only ${tables.join(", only ")}`);
}

/** Returns why a table failed; null for what says nothing about the backup. */
function whyFailed(error: unknown): string | null {
  if (error instanceof ArchiveError) return error.message;
  if (error instanceof BackupError) {
    return error.code === "verification_failed" || error.code === "restore_failed" ? error.message : null;
  }
  return isServerError(error) && !isFatal(error) ? words(error) : null;
}
