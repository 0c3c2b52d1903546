/**
 * An invocation that copies backups to the second bucket. It takes the turn, does what the database says is to be done until its budget is used, and leaves;
 * while something is left, the database calls another one. A backup counts whatever becomes of its copy: nothing is thrown.
 */
import { BackupError } from "../errors.ts";
import { openSession, type Session } from "../postgres/session.ts";
import { Budget, COST } from "../slices/budget.ts";
import { type Bucket, BucketError } from "../storage/bucket.ts";
import type { S3Bucket } from "../storage/s3.ts";
import { copyObjects } from "./copy_backup.ts";
import { copyFiles } from "./copy_files.ts";
import { missingObjects, removeCopy } from "./look_after.ts";
import { type CopyTask, CopyVerbs } from "./verbs.ts";

export interface CopyInvocation {
  databaseUrl: string;
  openBucket(name: string): Bucket;
  /** The second bucket. Throws BackupError `not_configured` where the secrets are missing or wrong. */
  openSecond(): S3Bucket;
  /** Share of a run's budget that this invocation may spend. */
  share: number;
  /** Aborted when the platform is about to end the isolate, or a run needs it. */
  stopping: AbortSignal;
  /** Called when the work is over, with the share of a budget that it took. */
  onIdle(share: number): void;
  log(message: string, facts?: Record<string, unknown>): void;
}

/** After this time nothing new is begun: the platform ends an invocation after 150 seconds, and a part may take one of these minutes. */
const LONGEST_MS = 75_000;

/** Tried again soon, these would give the same answer. */
const isFinal = (error: unknown) =>
  error instanceof BucketError
    ? error.failure !== "temporary"
    : error instanceof BackupError && error.code === "not_configured";

export async function copyBackups(invocation: CopyInvocation): Promise<void> {
  const { databaseUrl, log } = invocation;
  let control: Session | undefined;
  try {
    control = await openSession(databaseUrl, { applicationName: "supabase-backup copy" });
    const verbs = new CopyVerbs(control);
    const settings = await verbs.enter();
    if (settings === null) return;
    const budget = new Budget(settings.invocation_bytes * invocation.share);
    try {
      await work(verbs, budget, invocation);
    } finally {
      invocation.onIdle(budget.share);
      await verbs.leave();
    }
  } catch (error) {
    log("copying ended", { error: error instanceof Error ? error.message : String(error) });
  } finally {
    invocation.onIdle(0);
    await control?.close();
  }
}

async function work(verbs: CopyVerbs, budget: Budget, invocation: CopyInvocation): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  const { stopping, log } = invocation;
  let second: S3Bucket | undefined;
  // One for all tasks: it learns what the service can.
  const openSecond = () => second ??= invocation.openSecond();
  const withinBudget = (bytes: number) => {
    stopping.throwIfAborted();
    const cost = COST.request + bytes * COST.copiedByte;
    // The first one always fits: somebody must.
    const fits = budget.share === 0 || cost <= budget.left && Date.now() < deadline;
    if (fits) budget.spend(cost);
    return fits;
  };
  for (let task = await verbs.next(); task !== null; task = await verbs.next()) {
    const { action, name } = task;
    try {
      if (!await perform(task, verbs, withinBudget, openSecond, invocation)) return;
      log(`copies: ${action} ${name}: done`);
    } catch (error) {
      // Whoever is stopped says nothing about the copy; the next one goes on where this one ended.
      stopping.throwIfAborted();
      if (error instanceof BackupError && error.code === "lease_lost") throw error;
      const { code = "internal", hint = "See the function's log." } = error instanceof BackupError
        ? error
        : {};
      const message = error instanceof Error ? error.message : String(error);
      log(`copies: ${action} ${name}: failed`, { code, message });
      await verbs.failed(task.run_id, { code, message, hint }, isFinal(error));
      // What hangs or is down will do so for the next one as well.
      if (error instanceof BucketError && error.failure === "temporary") return;
    }
  }
}

/** False when the budget ended before the task did. */
async function perform(
  task: CopyTask,
  verbs: CopyVerbs,
  withinBudget: (bytes: number) => boolean,
  openSecond: () => S3Bucket,
  { openBucket }: CopyInvocation,
): Promise<boolean> {
  const { run_id: runId, action, name } = task;
  const second = openSecond();
  if (action === "remove") {
    if (!await removeCopy(second, name, () => withinBudget(0))) return false;
    await verbs.removed(runId);
    return true;
  }
  if (action === "files") {
    if (!await copyFiles(openBucket, second, verbs, withinBudget)) return false;
    await verbs.filesDone(runId);
    return true;
  }
  if (action === "check") {
    if (!withinBudget(0)) return false;
    await verbs.checked(runId, await missingObjects(second, name, task.copied));
    return true;
  }
  const all = [...task.copied];
  const whole = await copyObjects(openBucket(task.bucket), second, task, {
    withinBudget,
    onCopied: async (object) => {
      await verbs.copied(runId, object);
      all.push(object);
    },
  });
  if (!whole) return false;
  const missing = await missingObjects(second, name, all);
  await verbs.checked(runId, missing);
  if (missing.length === 0) return true;
  throw new BackupError(
    "verification_failed",
    `${name} is not whole in the second bucket: ${missing.slice(0, 5).join(", ")}`,
    "Somebody or something else removes objects there. They are copied again.",
  );
}
