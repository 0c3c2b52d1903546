/** A restore, from an open archive and a plan to an account of everything. */
import { type Account, closed, emptyAccount } from "./account.ts";
import { Connection } from "./connection.ts";
import { dropAll } from "./clean.ts";
import { Engine } from "./engine.ts";
import { restoreExtensionRows } from "./extension_rows.ts";
import { EventTriggers } from "./event_triggers.ts";
import { runTasks, tasksOf } from "./parallel.ts";
import { dumpIdsOf, passesOf, runsOf, untilRows } from "./passes.ts";
import type { RestoreInput, Step } from "./plan.ts";
import { refreshAll, refreshInside } from "./refresh.ts";
import { restoreRowSecurity, withGuards } from "./row_security.ts";
import { searchPathOf } from "./search_path.ts";
import { isServerError, words } from "./server_error.ts";
import { withGroupGrants } from "./statements.ts";
import { stoppedAt } from "./stopped.ts";
import { substitutes } from "./substitutes.ts";
import { Worker } from "./worker.ts";

const REFRESH_TIMEOUT_MS = 10 * 60_000;

/**
 * Restores. Throws BackupError `restore_failed` where it cannot, and then nothing was changed; ArchiveError where the
 * archive is damaged.
 */
export async function restore(input: RestoreInput): Promise<Account> {
  const { archive, plan, open, options = {} } = input;
  const { owners = true, strict = false, clean = false, disableTriggers = false, jobs = 1 } = options;
  const refreshTimeoutMs = options.refreshTimeoutMs ?? REFRESH_TIMEOUT_MS;
  const account = emptyAccount();
  const entries = withGroupGrants(plan.entries);
  const passes = passesOf(entries, { owners });
  const path = searchPathOf(archive.entries);
  const timed = (options.statementTimeoutMs ?? 0) > 0;
  const engineOptions = { strict, oneTransaction: true, timed, path, onEntry: options.onEntry ?? (() => {}) };
  const begun = () => {
    engineOptions.oneTransaction = false;
    options.onCommit?.("begun");
  };
  const connection = new Connection(await open(), jobs > 1 ? begun : null);
  const triggers = new EventTriggers(connection);
  try {
    await connection.prepare(options.statementTimeoutMs);
    await connection.begin();
    const workerOptions = { owners, disableTriggers, encoding: encodingOf(archive.entries) };
    const worker = new Worker(connection, archive, workerOptions);
    const { keepAside } = options;
    const checks = substitutes({ archive, entries, worker, workerOptions, path, account, keepAside });
    const engine = new Engine(worker, account, triggers, checks.substitute, engineOptions);
    if (clean) await dropAll(triggers, entries);
    for (const step of plan.before ?? []) await mustRun(triggers, step);
    const { first, later } = jobs > 1 ? untilRows(passes.main) : { first: passes.main, later: [] };
    for (const run of runsOf(first)) {
      await engine.run(run.entries);
      await engine.settle();
    }
    if (later.length > 0) {
      await connection.commit();
      begun();
      const { tasks, rest } = await tasksOf(archive, later, dumpIdsOf(first, "TABLE"));
      await withWorkers(jobs, worker, async () => {
        const other = new Connection(await open());
        await other.prepare(options.statementTimeoutMs);
        // What they commit is on the disk when the last commit is.
        await other.sql.unsafe("set synchronous_commit = off");
        return new Worker(other, archive, workerOptions);
      }, (workers) => runTasks(tasks, workers, (entry, free) => engine.runOn(entry, free)));
      await connection.begin();
      await engine.settle();
      await engine.run(rest);
      await engine.settle();
    }
    await restoreRowSecurity(connection, passes.main, engine.waiting, account);
    await checks.addDeferred();
    await restoreExtensionRows(worker, archive, plan, account);
    for (const step of plan.after ?? []) await mayFail(triggers, step, account, engineOptions);
    await engine.run(withGuards(passes.grants, passes.main));
    await engine.run(passes.eventTriggers);
    await engine.settle();
    engine.leaveOut(entries);
    await triggers.restore();
    if (strict) await refreshInside(connection, passes.refreshes, path, refreshTimeoutMs);
    await connection.commit();
    options.onCommit?.("complete");
    for (const name of triggers.names) {
      account.notes.push(`Event trigger "${name}" of the target was off meanwhile`);
    }
  } catch (error) {
    await connection.rollback().catch(() => {});
    if (!engineOptions.oneTransaction) await triggers.restore().catch(() => {});
    if (isServerError(error)) throw stoppedAt("the archive", error, engineOptions.oneTransaction);
    throw error;
  } finally {
    await connection.close();
  }
  if (!strict) {
    await refreshAll({ open, entries: passes.refreshes, path, timeoutMs: refreshTimeoutMs, account });
  }
  return closed(account);
}

/** Runs `work` with connections that are closed in the end, all of them beside the first one. */
async function withWorkers(
  jobs: number,
  first: Worker,
  open: () => Promise<Worker>,
  work: (workers: Worker[]) => Promise<void>,
): Promise<void> {
  const workers = [first];
  try {
    while (workers.length < jobs) workers.push(await open());
    await work(workers);
  } finally {
    await Promise.all(workers.slice(1).map(({ connection }) => connection.close()));
  }
}

async function mustRun(triggers: EventTriggers, { what, sql }: Step): Promise<void> {
  const attempt = await triggers.attempt(sql);
  if ("error" in attempt) throw stoppedAt(what, attempt.error, true);
}

async function mayFail(
  triggers: EventTriggers,
  { what, sql }: Step,
  account: Account,
  { strict, oneTransaction }: { strict: boolean; oneTransaction: boolean },
): Promise<void> {
  const attempt = await triggers.attempt(sql);
  if ("result" in attempt) return;
  if (strict) throw stoppedAt(what, attempt.error, oneTransaction);
  account.leftOut.push({ entry: what, why: words(attempt.error), mend: [sql] });
}

/** Returns the encoding of the archive's rows. */
function encodingOf(entries: RestoreInput["archive"]["entries"]): string {
  const definition = entries.find(({ desc }) => desc === "ENCODING")?.definition ?? "";
  return /'([^']*)'/.exec(definition)?.[1] ?? "UTF8";
}
