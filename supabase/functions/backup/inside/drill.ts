/**
 * A drill inside the project: a backup restored into a scratch database of the same server, slice by slice, and
 * compared. Tables are emptied again where they would take too much space. What cannot be tried here is told as
 * unchecked.
 */
import { ArchiveError } from "../archive/primitives.ts";
import { BackupError } from "../errors.ts";
import type { Entry } from "../entry.ts";
import { type Check, countOf } from "../compare/check.ts";
import type { Session } from "../postgres/session.ts";
import { Connection } from "../restore/connection.ts";
import { contentOf, passesOf } from "../restore/passes.ts";
import { existingObjects } from "../restore_plan/existing_objects.ts";
import { planRestore } from "../restore_plan/plan.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import type { StoredArchive } from "../manifest/stored_archive.ts";
import { compareScratch } from "./drill_compare.ts";
import { defineAll, runEntries } from "./drill_definitions.ts";
import { drillTables } from "./drill_tables.ts";
import { foreignCheck, foreignEntries } from "./foreign_entries.ts";
import type { RestoreTask } from "./inside_client.ts";
import type { Drill, DrillState, Lists } from "./drill_run.ts";
import { transaction, type Work } from "./work.ts";
import { createScratch, openScratch, scratchFacts } from "./scratch.ts";

/** A database without anything in it has 8 MB. */
const LEAST_BYTES = 20_000_000;

/** Drills as far as the invocation has time; returns whether it is over. */
export async function drill(work: Work, task: RestoreTask): Promise<boolean> {
  const archive = await openOrFail(work, task);
  if (archive === null) return true;
  const state: DrillState = {
    index: 0,
    done: null,
    there: 0,
    text: 0,
    byRow: false,
    emptied: [],
    again: [],
    passed: 0,
    checks: [],
    ...task.state as Partial<DrillState>,
  };
  task.state = state;
  if (state.phase === undefined || state.phase === "definitions") await begin(work, state, archive.entries);
  await using scratch = await openScratch(work);
  const connection = new Connection(scratch);
  await connection.prepare();
  await scratch.sql.unsafe(`
    set work_mem = '8MB'; set maintenance_work_mem = '32MB'; set synchronous_commit = off;
    set statement_timeout = ${work.share.statementTimeout}`).simple();
  const target = await scratchFacts(scratch);
  const foreign = await foreignEntries(work.session, archive.entries);
  const left = new Set(foreign);
  const plan = await planOf(archive.entries.filter((entry) => !left.has(entry)), target, scratch);
  state.planned ??= plan.entries.length;
  if (state.planned !== plan.entries.length) throw CHANGED;
  const record = async (progress: string) => {
    await work.client.restored(task, progress);
    work.share.worked = true;
  };
  const run: Drill = {
    work,
    task,
    state,
    archive,
    plan,
    target,
    scratch,
    connection,
    record,
    lists: listsOf(plan),
    grown: Infinity,
    unsure: true,
  };
  if (state.phase === undefined || state.phase === "definitions") {
    state.phase = "definitions";
    await record("definitions");
    state.checks.push(...await defineAll(run));
    await advance(run, "tables");
  }
  if (state.phase === "tables") {
    if (!await drillTables(run)) return false;
    await advance(run, "rest");
  }
  if (state.phase === "rest") {
    if (!await runEntries(run)) return false;
    await advance(run, "compare");
  }
  // It reads the catalogs as a backup does, which takes an invocation of its own where there is much to read.
  if (work.share.worked && !work.share.hasMost && archive.entries.length > 500) return false;
  const tables = Array.from(
    { length: state.passed },
    (): Check => ({ what: "rows", outcome: "passed", detail: "" }),
  );
  const checks = [...state.checks, ...tables, ...await compareScratch(run), ...foreignCheck(foreign)];
  const where = `a scratch database in the project, PostgreSQL ${target.versionText}`;
  const counts = countOf(checks);
  const all = counts.passed + counts.failed === 0 ? [...checks, NOTHING] : checks;
  await transaction(work, () => work.client.drilled(task.id, where, all));
  return true;
}

/** Opens the backup; one that cannot be opened has failed its drill. */
async function openOrFail(work: Work, task: RestoreTask): Promise<StoredArchive | null> {
  try {
    return await work.open(task);
  } catch (error) {
    const damaged = error instanceof ArchiveError ||
      (error instanceof BackupError && ["verification_failed", "manifest_invalid"].includes(error.code));
    if (!damaged) throw error;
    const check: Check = { what: "backup", outcome: "failed", detail: error.message };
    await transaction(
      work,
      () => work.client.drilled(task.id, "nowhere: the backup could not be opened", [check]),
    );
    return null;
  }
}

/** An index of the state would mean another entry. */
const CHANGED = new BackupError(
  "restore_failed",
  "The drill cannot go on: roles or extensions of the project were changed meanwhile",
  "Drill again: select backup.drill().",
);

const NOTHING: Check = { what: "drill", outcome: "failed", detail: "nothing could be compared" };

async function advance({ state, record }: Drill, phase: DrillState["phase"] & string): Promise<void> {
  Object.assign(state, { phase, index: 0, done: null, there: 0, text: 0, byRow: false });
  await record(phase);
}

/** Makes room, or throws BackupError `too_large`; then the database, which a death may have left half made. */
async function begin(
  work: Work,
  state: DrillState,
  entries: readonly Entry[],
): Promise<void> {
  const [{ room }] = await work.session.sql.unsafe<[{ room: { bytes: number; database_bytes: number } }]>(
    "select backup._drill_room($1::pg_catalog.int8) as room",
    [(state.bytes ?? null) as never],
  );
  if (room.bytes < LEAST_BYTES) {
    throw new BackupError(
      "too_large",
      `Cannot drill: the databases have ${room.database_bytes} bytes, and the free plan ends at 500 MB`,
      "If your plan has room, say how much: select backup.drill(drill_bytes => 100000000). Else drill elsewhere: supabase-backup drill.",
    );
  }
  state.bytes = room.bytes;
  await createScratch(work, entries);
}

async function planOf(archive: readonly Entry[], target: TargetFacts, scratch: Session): Promise<Plan> {
  return planRestore({
    options: {
      tables: [],
      schemas: [],
      schemaOnly: false,
      dataOnly: false,
      clean: false,
      noOwner: true,
      withFiles: false,
      settle: false,
    },
    archive,
    target,
    existing: await existingObjects({ session: scratch, ...target }, target.user),
    // The server's roles are left alone.
    roles: { wanted: null, there: { roles: [], members: [] } },
    rowCounts: new Map(),
    versions: { wanted: new Map(), there: new Map() },
    jobs: [],
    secrets: [],
    targetEntries: [],
    triggers: [],
    defaultPrivileges: [],
    managedTables: new Map(),
    targetJobs: new Set(),
    targetSecrets: new Set(),
    backupSettings: {},
  });
}

function listsOf(plan: Plan): Lists {
  const { main, refreshes } = passesOf(
    // Extensions that are there belong to the project's own role, and have their comment.
    plan.entries.filter(({ desc, tag }) => desc !== "COMMENT" || !tag.startsWith("EXTENSION ")),
    { owners: false },
  );
  const first = main.findIndex(({ section }) => section === "data" || section === "post-data");
  const definitions = first < 0 ? main : main.slice(0, first);
  const later = first < 0 ? [] : main.slice(first);
  const tables = later.filter((entry) => entry.desc === "TABLE DATA" && contentOf(entry) === "rows");
  const relations = new Set(definitions.filter(({ desc }) => desc === "TABLE").map(({ dumpId }) => dumpId));
  const filled = new Set(tables.map(({ dependencies }) => dependencies[0]!));
  const indexes = new Map<number, Entry[]>();
  const rest: Entry[] = [];
  for (const entry of later) {
    if (
      entry.desc === "TABLE DATA" || entry.desc === "BLOBS" || entry.desc === "BLOB METADATA" ||
      entry.desc === "BLOB"
    ) continue;
    const [table, ...others] = entry.dependencies.filter((id) => relations.has(id));
    const alone = (entry.desc === "CONSTRAINT" || entry.desc === "INDEX") && others.length === 0;
    if (alone && table !== undefined && filled.has(table)) {
      indexes.set(table, [...indexes.get(table) ?? [], entry]);
    } else rest.push(entry);
  }
  return { definitions, tables, indexes, rest: [...rest, ...refreshes] };
}
