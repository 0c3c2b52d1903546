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

/** Growth after which the database's size is looked at. */
const LOOK_BYTES = 1_000_000;

/** What a table has on disk beside its rows' text, at the least: pages of its own, of its indexes and of TOAST. */
const TABLE_BYTES = 64 * 1024;

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
    run.grown += TABLE_BYTES;
    const full = await tablesToEmpty(run, entry);
    // The next invocation begins with the next table.
    const next = structuredClone(state);
    nextTable(next);
    await work.client.restored({ ...run.task, state: next }, `rows of ${name}`);
    await empty(run, full);
    work.share.worked = true;
    work.share.spendTable();
    if (work.share.isUsed && state.index + 1 < lists.tables.length) return false;
  }
  await emptyReferenced(run);
  await record("rows");
  return true;
}

function nextTable(state: DrillState): void {
  Object.assign(state, { index: state.index + 1, done: null, there: 0, text: 0, byRow: false });
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
    state.text += slice.bytes;
    run.grown += slice.bytes;
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
async function startOverWhereUnsure(run: Drill, entry: Entry): Promise<void> {
  const { state, task, scratch } = run;
  if (!run.unsure) return;
  run.unsure = false;
  const table = nameOf(entry);
  const [row] = await scratch.sql.unsafe<{ rows: string }[]>(
    `select pg_catalog.count(*) as rows from ${table}`,
  );
  if (Number(row!.rows) === state.there) return;
  await scratch.sql.unsafe(`truncate only ${table}`);
  task.rows -= state.done?.rows ?? 0;
  task.raw_bytes -= state.text;
  Object.assign(state, { done: null, there: 0, text: 0 });
}

/** Returns the tables that have to be emptied because the database has more bytes than it may, and notes them. */
async function tablesToEmpty(run: Drill, entry: Entry): Promise<string[]> {
  const { scratch, state, lists } = run;
  if (run.grown < LOOK_BYTES) return [];
  run.grown = 0;
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

/** Empties what emptied tables share foreign keys with: rows would miss those that they reference. */
async function emptyReferenced(run: Drill): Promise<void> {
  const { archive, lists, state } = run;
  const isEmptied = (entry: Entry) => state.emptied.includes(nameOf(entry));
  const ids = new Set(lists.tables.filter(isEmptied).map(({ dependencies }) => dependencies[0]!));
  if (ids.size === 0) return;
  const relations = new Set(
    archive.entries.filter(({ desc }) => desc === "TABLE").map(({ dumpId }) => dumpId),
  );
  // Rows of a partitioned table lie in its partitions.
  const groups = archive.entries.filter(({ desc }) => desc === "FK CONSTRAINT" || desc === "TABLE ATTACH")
    .map(({ dependencies }) => dependencies.filter((id) => relations.has(id)));
  for (let before = 0; before < ids.size;) {
    before = ids.size;
    for (const group of groups) if (group.some((id) => ids.has(id))) group.forEach((id) => ids.add(id));
  }
  const names = lists.tables.filter(({ dependencies }) => ids.has(dependencies[0]!)).map(nameOf);
  state.emptied.push(...names.filter((name) => !state.emptied.includes(name)));
  await empty(run, names);
}

/** Returns why a table failed; null for what says nothing about the backup. */
function whyFailed(error: unknown): string | null {
  if (error instanceof ArchiveError) return error.message;
  if (error instanceof BackupError) {
    return error.code === "verification_failed" || error.code === "restore_failed" ? error.message : null;
  }
  return isServerError(error) && !isFatal(error) ? words(error) : null;
}
