/** An invocation's work on a run, from entering it to leaving it: the flow on one screen. */
import { Encryption } from "./encryption/encryption.ts";
import { readRecipients } from "./encryption/recipients.ts";
import type { RunSignals } from "./alerts/run_signals.ts";
import { openSession, type Session } from "./postgres/session.ts";
import { type Place, type Reason, RunVerbs } from "./run/verbs.ts";
import { Budget } from "./slices/budget.ts";
import type { Bucket } from "./storage/bucket.ts";
import { endingOf, reasonOf } from "./worker/ending.ts";
import { exportSlices, holdSnapshot } from "./worker/export_slices.ts";
import { finishRun } from "./worker/finish_run.ts";
import { Heart } from "./worker/heart.ts";
import { planRun } from "./worker/plan_run.ts";
import type { Worker } from "./worker/worker.ts";

export interface Invocation {
  runId: number;
  databaseUrl: string;
  openBucket(name: string): Bucket;
  /** Share of the run's budget that this invocation may spend. */
  share: number;
  /** Aborted when the platform is about to end the isolate. */
  stopping: AbortSignal;
  /** Called when the work is over or only waits, with the share of a budget that it took. */
  onIdle(share: number): void;
  /** Tells an outside clock that the run begins and how it ends. */
  signals: RunSignals;
  log(message: string, facts?: Record<string, unknown>): void;
}

/** How long a worker that holds the snapshot for its successor waits before it asks again. */
const ASK_AGAIN_MS = 250;

/** Works on a run until its share is spent or nothing is left. What fails is told to the run; nothing is thrown. */
export async function workOn(invocation: Invocation): Promise<void> {
  const { runId, databaseUrl, signals, log } = invocation;
  let exporter: Session | undefined;
  let control: Session | undefined;
  try {
    [exporter, control] = await Promise.all([
      openSession(databaseUrl, { applicationName: "supabase-backup export" }),
      openSession(databaseUrl, { applicationName: "supabase-backup control" }),
    ]);
    const worker = crypto.randomUUID();
    const verbs = new RunVerbs(control, runId, worker);
    const place = await verbs.enter(exporter.pid);
    log(`run ${runId}: ${place.role}`, { attempt: place.run.attempt });
    await signals.began(control, place);
    if (place.role !== "none") await workAs(place, verbs, exporter, invocation);
    await signals.ended(control, place, worker);
  } catch (error) {
    log(`run ${runId}: worker ended`, { ...reasonOf(error) });
  } finally {
    invocation.onIdle(0);
    await Promise.allSettled([exporter?.close(), control?.close()]);
    await signals.sent();
  }
}

async function workAs(
  place: Place,
  verbs: RunVerbs,
  exporter: Session,
  invocation: Invocation,
): Promise<void> {
  const { settings } = place;
  const budget = new Budget(settings.invocation_bytes * invocation.share);
  const heart = new Heart(verbs, settings.lease_seconds, invocation.stopping);
  try {
    const worker: Worker = {
      exporter,
      verbs,
      place,
      budget,
      heart,
      bucket: invocation.openBucket(settings.bucket),
      openBucket: invocation.openBucket,
      encryption: encryptionOf(place, verbs),
    };
    if (place.role === "plan") await planRun(worker);
    if (place.role === "export") await holdSnapshot(worker);
    if (place.role !== "finish") await exportSlices(worker);
    const finish = await verbs.claimFinish();
    if (finish !== null && await finishRun(worker, finish)) return;
    invocation.onIdle(budget.share);
    await leave(verbs, null);
  } catch (error) {
    const cause = heart.failure ?? error;
    invocation.onIdle(budget.share);
    invocation.log(`run ${place.run.id}: failed`, { ...reasonOf(cause) });
    await giveUp(verbs, cause);
  } finally {
    heart.stop();
  }
}

/** Throws BackupError `not_configured` for a recipient that cannot be used. */
function encryptionOf({ settings: { recipient } }: Place, verbs: RunVerbs): Encryption | null {
  return recipient ? new Encryption(readRecipients(recipient), () => verbs.partSecret()) : null;
}

/** Leaves only when the run can spare this worker: until then it holds the snapshot. */
async function leave(verbs: RunVerbs, reason: Reason | null): Promise<void> {
  while (!await verbs.leave(reason)) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

async function giveUp(verbs: RunVerbs, error: unknown): Promise<void> {
  switch (endingOf(error)) {
    case "worker":
      return await leave(verbs, reasonOf(error));
    case "attempt":
      return void await verbs.fail(reasonOf(error), true);
    case "run":
      return void await verbs.fail(reasonOf(error), false);
    case "nothing":
  }
}
