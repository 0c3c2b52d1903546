/**
 * An invocation that copies backups to the second bucket. It takes the turn, works on the database's tasks until its
 * budget is used, and leaves; while tasks are left, the database calls another one. A backup is valid whatever becomes
 * of its copy: nothing is thrown.
 */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { Budget, COST } from "../budget.ts";
import { BucketError, type ProjectBucket } from "../storage/bucket.ts";
import type { S3Bucket } from "../storage/s3/s3_bucket.ts";
import type { Turn } from "../turn.ts";
import { copyObjects } from "./copy_backup.ts";
import { copyFiles } from "./copy_files.ts";
import { missingObjects, removeCopy } from "./check_copy.ts";
import { CopyClient, type CopyTask } from "./copy_client.ts";

export interface CopyInvocation {
  openDatabase(purpose: string): Promise<Session>;
  openBucket(name: string): ProjectBucket;
  /** The second bucket. Throws BackupError `not_configured` where the secrets are missing or wrong. */
  openSecond(): S3Bucket;
  /** Aborted when the platform is about to end the isolate, or a run needs it. */
  stopping: AbortSignal;
  /** Ended when the work is over. */
  turn: Turn;
  log(message: string, facts?: Record<string, unknown>): void;
}

/**
 * No new task begins after this time: the platform ends an invocation after 150 seconds, and a part may take a minute.
 */
const LONGEST_MS = 75_000;

/** Errors for which an early retry would fail the same way. */
const isFinal = (error: unknown) =>
  error instanceof BucketError
    ? error.failure !== "temporary"
    : error instanceof BackupError && error.code === "not_configured";

export async function copyBackups(invocation: CopyInvocation): Promise<void> {
  const { openDatabase, log } = invocation;
  let control: Session | undefined;
  try {
    using turn = invocation.turn;
    control = await openDatabase("copy");
    const client = new CopyClient(control);
    const settings = await client.enter();
    if (settings === null) return;
    const budget = new Budget(settings.invocation_bytes, turn.before);
    try {
      await work(client, budget, invocation);
    } finally {
      turn.end(budget.share);
      await client.leave();
    }
  } catch (error) {
    log("copying ended", { error: error instanceof Error ? error.message : String(error) });
  } finally {
    await control?.close();
  }
}

async function work(client: CopyClient, budget: Budget, invocation: CopyInvocation): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  const { stopping, log } = invocation;
  let second: S3Bucket | undefined;
  // One for all tasks: it remembers what the service supports.
  const openSecond = () => second ??= invocation.openSecond();
  const withinBudget = (bytes: number) => {
    stopping.throwIfAborted();
    const cost = COST.request + bytes * COST.copiedByte;
    // The first one always fits: some invocation must take it.
    const fits = budget.share === 0 || cost <= budget.left && Date.now() < deadline;
    if (fits) budget.spend(cost);
    return fits;
  };
  for (let task = await client.next(); task !== null; task = await client.next()) {
    const { action, name } = task;
    try {
      if (!await perform(task, client, withinBudget, openSecond, invocation)) return;
      log(`copies: ${action} ${name}: done`);
    } catch (error) {
      // An invocation that is stopped says nothing about the copy; the next one goes on where it ended.
      stopping.throwIfAborted();
      if (error instanceof BackupError && error.code === "lease_lost") throw error;
      const { code = "internal", hint = "See the function's log." } = error instanceof BackupError
        ? error
        : {};
      const message = error instanceof Error ? error.message : String(error);
      log(`copies: ${action} ${name}: failed`, { code, message });
      await client.failed(task.run_id, { code, message, hint }, isFinal(error));
      // A service that hangs or is down would fail the next task as well.
      if (error instanceof BucketError && error.failure === "temporary") return;
    }
  }
}

/** Performs a task; returns false when the budget ended first. */
async function perform(
  task: CopyTask,
  client: CopyClient,
  withinBudget: (bytes: number) => boolean,
  openSecond: () => S3Bucket,
  { openBucket }: CopyInvocation,
): Promise<boolean> {
  const { run_id: runId, action, name } = task;
  const second = openSecond();
  if (action === "remove") {
    if (!await removeCopy(second, name, () => withinBudget(0))) return false;
    await client.removed(runId);
    return true;
  }
  if (action === "files") {
    if (!await copyFiles(openBucket, second, client, withinBudget)) return false;
    await client.filesDone(runId);
    return true;
  }
  if (action === "check") {
    if (!withinBudget(0)) return false;
    await client.checked(runId, await missingObjects(second, name, task.copied));
    return true;
  }
  const all = [...task.copied];
  const whole = await copyObjects(openBucket(task.bucket), second, task, {
    withinBudget,
    onCopied: async (object) => {
      await client.copied(runId, object);
      all.push(object);
    },
  });
  if (!whole) return false;
  const missing = await missingObjects(second, name, all);
  await client.checked(runId, missing);
  if (missing.length === 0) return true;
  throw new BackupError(
    "verification_failed",
    `The copy of ${name} in the second bucket is incomplete: ${missing.slice(0, 5).join(", ")}`,
    "Another program removes objects there. They are copied again.",
  );
}
