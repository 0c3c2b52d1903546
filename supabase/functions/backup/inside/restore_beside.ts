/**
 * Tables of a backup beside the living ones, as copies that run nobody's code (plain_table.ts). Nothing that exists is
 * changed.
 */
import { ArchiveError } from "../archive/primitives.ts";
import { firstRow } from "../archive/row_batches.ts";
import { BackupError } from "../errors.ts";
import { isStatementError } from "../postgres/session.ts";
import type { StoredArchive } from "../manifest/stored_archive.ts";
import { isFatal, isServerError, words } from "../restore/server_error.ts";
import { quoted } from "../restore_plan/sql_text.ts";
import { copySlice } from "./copy_slice.ts";
import type { RestoreTask, RowsDone } from "./inside_client.ts";
import { KeyFilter } from "./key_filter.ts";
import { copyInto, createCopy, createKey, type PlainTable, plainTable } from "./plain_table.ts";
import { statementsFor } from "./statements.ts";
import { tablesOf } from "./tables_of.ts";
import { transaction, type Work } from "./work.ts";

/** Where a restore stands; kept in the database from one invocation to the next. */
interface BesideState {
  /** Schema and name, referenced tables first. */
  tables: [schema: string, name: string][];
  /** Index of the table at work, and of its entry with rows. */
  table: number;
  entry: number;
  /** Null where that entry was not begun. */
  done: RowsDone | null;
  /** Keys that were found. */
  found?: string[];
}

/** Restores what the invocation has time for; returns whether everything is there. */
export async function restoreBeside(work: Work, task: RestoreTask): Promise<boolean> {
  const archive = await work.open(task);
  const state = (task.state ??= {
    tables: tablesOf(archive.entries, task),
    table: 0,
    entry: 0,
    done: null,
  }) as BesideState;
  for (; state.table < state.tables.length; state.table++, state.entry = 0, state.done = null) {
    try {
      if (!await restoreTable(work, task, state, archive)) return false;
    } catch (error) {
      await work.session.sql.unsafe("rollback");
      const why = whyLeftOut(error);
      if (why === null) throw error;
      const [schema, name] = state.tables[state.table]!;
      task.exceptions.push({ entry: `TABLE ${schema}.${name}`, why });
      await transaction(work, async () => {
        // One that was there before is an earlier restore's.
        if (state.done !== null || state.entry > 0) {
          await work.session.sql.unsafe(`drop table if exists ${quoted(task.into_schema!)}.${quoted(name)}`);
        }
        const next = { ...state, table: state.table + 1, entry: 0, done: null };
        await work.client.restored({ ...task, state: next }, "");
      });
    }
  }
  if (task.exceptions.filter(({ entry }) => entry.startsWith("TABLE ")).length === state.tables.length) {
    const [{ entry, why }] = task.exceptions as [RestoreTask["exceptions"][number]];
    throw new BackupError(
      "restore_failed",
      `Cannot restore ${entry}: ${why}`,
      "Use another backup; see backup.contents.",
    );
  }
  const lost = (task.keys ?? []).filter((key) => !state.found?.includes(key));
  if (lost.length > 0) {
    const named = lost.slice(0, 20).join(", ");
    task.exceptions.push({ entry: `${lost.length} keys`, why: `the backup has no rows with them: ${named}` });
  }
  await transaction(work, async () => {
    await work.client.restored(task, "done");
    await work.client.finished(
      task.id,
      "succeeded",
      null,
      await statementsFor(work.session, archive, task, state.tables),
    );
  });
  return true;
}

/** Restores a table, or the rest of it; returns whether it is all there. */
async function restoreTable(
  work: Work,
  task: RestoreTask,
  state: BesideState,
  archive: StoredArchive,
): Promise<boolean> {
  const [schema, name] = state.tables[state.table]!;
  const into = task.into_schema!;
  const table = plainTable(archive.entries, schema, name);
  const filter = task.keys === null ? null : new KeyFilter(table, task.keys, state.found ??= []);
  for (; state.entry < table.data.length; state.entry++, state.done = null) {
    const entry = table.data[state.entry]!;
    const said = archive.said(entry);
    for (let ended = false; !ended;) {
      if (work.share.isUsed) return false;
      await transaction(work, async () => {
        if (state.entry === 0 && state.done === null) await createTable(work, table, into);
        const done = state.done ??= {
          place: await firstRow(archive.source, entry.dumpId, said.begin),
          rows: 0,
          adler32: 1,
        };
        const before = done.rows;
        const slice = await copySlice(
          work,
          archive.source,
          done,
          copyInto(table, into, entry),
          filter?.forEntry(entry),
        );
        ended = slice.ended;
        if (ended) expectSaid(`${entry.namespace}.${entry.tag}`, done, said);
        task.rows += filter === null ? done.rows - before : slice.sent;
        task.raw_bytes += slice.bytes;
        // The next invocation begins behind what this transaction holds.
        const next = ended ? { ...state, entry: state.entry + 1, done: null } : state;
        await work.client.restored(
          { ...task, state: next },
          `${schema}.${name}: ${done.rows} of ${said.rows} rows`,
        );
      });
    }
  }
  await addKey(work, task, table, state);
  return true;
}

async function createTable({ session: { sql } }: Work, table: PlainTable, into: string): Promise<void> {
  await sql.unsafe(createCopy(table, into));
  // Default privileges may have opened it; the schema is closed in any case.
  const place = `${quoted(into)}.${quoted(table.name)}`;
  await sql.unsafe(`alter table ${place} enable row level security`);
}

/** Makes the key, which the comparison needs. Rows without it are better than none. */
async function addKey(work: Work, task: RestoreTask, table: PlainTable, state: BesideState): Promise<void> {
  const statement = createKey(table, task.into_schema!);
  const next = { ...state, table: state.table + 1, entry: 0, done: null };
  try {
    await transaction(work, async () => {
      if (statement !== "") {
        await work.session.sql.unsafe(`set local statement_timeout = ${work.share.statementTimeout}`);
        await work.session.sql.unsafe(statement);
        await work.session.sql.unsafe("set local statement_timeout = 0");
      }
      await work.client.restored({ ...task, state: next }, `${table.schema}.${table.name}: done`);
    });
  } catch (error) {
    // 57014: it took longer than an invocation has.
    if (!isServerError(error) || (isFatal(error) && error.code !== "57014")) throw error;
    await work.session.sql.unsafe("rollback");
    task.exceptions.push({
      entry: `PRIMARY KEY ${table.schema}.${table.name}`,
      why: words(error),
      mend: [`${statement};`],
    });
    await transaction(
      work,
      () => work.client.restored({ ...task, state: next }, `${table.schema}.${table.name}: done`),
    );
  }
}

/** Throws ArchiveError where the rows are not those that the manifest tells of. */
export function expectSaid(
  table: string,
  done: RowsDone,
  said: { rows: number; adler32?: string | undefined },
): void {
  const found = (done.adler32 >>> 0).toString(16).padStart(8, "0");
  if (done.rows !== said.rows || (said.adler32 !== undefined && found !== said.adler32)) {
    throw new ArchiveError(
      `the archive has ${done.rows} rows of ${table} with the checksum ${found}, its manifest says ${said.rows} and ${said.adler32}`,
    );
  }
}

/** Returns why a table stays out while others come; null for what stops the restore or may pass. */
function whyLeftOut(error: unknown): string | null {
  if (error instanceof ArchiveError) return error.message;
  if (error instanceof BackupError) {
    return ["verification_failed", "bad_request"].includes(error.code) ? error.message : null;
  }
  return isStatementError(error) && isServerError(error) && !isFatal(error) ? words(error) : null;
}
