/** An invocation's work on a run, from entering it to leaving it: the flow on one screen. */
import { Encryption } from "./encryption/encryption.ts";
import { readRecipients } from "./encryption/recipients.ts";
import type { RunSignals } from "./alerts/run_signals.ts";
import type { Session } from "./postgres/session.ts";
import { type Finish, type Place, type Reason, RunClient } from "./run/run_client.ts";
import { Budget } from "./budget.ts";
import type { ProjectBucket } from "./storage/bucket.ts";
import { reasonOf, scopeOf } from "./worker/error_scope.ts";
import { exportSlices, holdSnapshot } from "./worker/export_slices.ts";
import { finishRun } from "./worker/finish_run.ts";
import type { Turn } from "./turn.ts";
import { Heartbeat } from "./worker/heartbeat.ts";
import { planRun } from "./worker/plan_run.ts";
import { PartStore } from "./worker/part_store.ts";
import { Succession } from "./worker/succession.ts";
import { reportFacts } from "./worker/report_facts.ts";
import type { Worker } from "./worker/worker.ts";

export interface Invocation {
  runId: number;
  openDatabase(purpose: string): Promise<Session>;
  openBucket(name: string): ProjectBucket;
  /** Aborted when the platform is about to end the isolate. */
  stopping: AbortSignal;
  /** Ended when the work is over or only waits. */
  turn: Turn;
  /** Reports the run's beginning and end to an outside monitor. */
  signals: RunSignals;
  log(message: string, facts?: Record<string, unknown>): void;
}

/** How long a worker that holds the snapshot for its successor waits before it asks again. */
const ASK_AGAIN_MS = 250;
/** How long a finisher's successor waits for it. */
const PATIENCE_MS = 10_000;

/** Works on a run until its share is spent or nothing is left. Records what fails in the run; throws nothing. */
export async function workOn(invocation: Invocation): Promise<void> {
  const { runId, openDatabase, signals, log } = invocation;
  let exporter: Session | undefined;
  let control: Session | undefined;
  try {
    using _turn = invocation.turn;
    [exporter, control] = await Promise.all([
      openDatabase("export"),
      openDatabase("control"),
    ]);
    const worker = crypto.randomUUID();
    const client = new RunClient(control, runId, worker);
    const place = await client.enter(exporter.pid);
    log(`run ${runId}: ${place.role}`, { attempt: place.run.attempt });
    await signals.began(control, place);
    if (place.role !== "none") await workAs(place, client, { exporter, control }, invocation);
    await signals.ended(control, place, worker);
  } catch (error) {
    log(`run ${runId}: worker ended`, { ...reasonOf(error) });
  } finally {
    await Promise.allSettled([exporter?.close(), control?.close()]);
    await signals.sent();
  }
}

async function workAs(
  place: Place,
  client: RunClient,
  sessions: Pick<Worker, "exporter" | "control">,
  invocation: Invocation,
): Promise<void> {
  const { settings } = place;
  const budget = new Budget(settings.invocation_bytes, invocation.turn.before);
  const succession = new Succession(client, budget, invocation.stopping);
  using heartbeat = new Heartbeat(client, settings.lease_seconds, invocation.stopping);
  try {
    const worker: Worker = {
      ...sessions,
      client,
      place,
      budget,
      succession,
      heartbeat,
      openBucket: invocation.openBucket,
      store: new PartStore({
        bucket: invocation.openBucket(settings.bucket),
        folder: place.run.name,
        encryption: encryptionOf(place, client),
        heartbeat,
        budget,
      }),
    };
    if (place.role === "plan") await planRun(worker);
    if (place.role === "export") await holdSnapshot(worker);
    if (place.role !== "finish") await exportSlices(worker);
    const finish = await claimFinish(worker);
    succession.check();
    const isDone = finish !== null && await finishRun(worker, finish);
    invocation.turn.end(budget.share);
    succession.waits();
    if (isDone) return succession.end();
    await reportFacts(worker);
    await leave(client, null);
  } catch (error) {
    const cause = heartbeat.signal.aborted ? heartbeat.signal.reason : error;
    invocation.turn.end(budget.share);
    succession.waits();
    invocation.log(`run ${place.run.id}: failed`, { ...reasonOf(cause) });
    await giveUp(client, cause);
  } finally {
    await succession.settled();
  }
}

/** A finisher that was called as a successor begins when the one before it has left. */
async function claimFinish({ client, place, heartbeat }: Worker): Promise<Finish | null> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const finish = await client.claimFinish();
    if (finish !== null || place.role !== "finish" || Date.now() > deadline) return finish;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    heartbeat.check();
    // The one before it has finished the run: the isolate must be free for the next one.
    if (!await client.heartbeat(null)) return null;
  }
}

/** Throws BackupError `not_configured` for a recipient that cannot be used. */
function encryptionOf({ settings: { recipient } }: Place, client: RunClient): Encryption | null {
  return recipient ? new Encryption(readRecipients(recipient), () => client.partSecret()) : null;
}

/** Leaves only when the run can spare this worker: until then it holds the snapshot. */
async function leave(client: RunClient, reason: Reason | null): Promise<void> {
  while (!await client.leave(reason)) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

async function giveUp(client: RunClient, error: unknown): Promise<void> {
  switch (scopeOf(error)) {
    case "worker":
      return await leave(client, reasonOf(error));
    case "attempt":
      return void await client.fail(reasonOf(error), true);
    case "run":
      return void await client.fail(reasonOf(error), false);
    case "nothing":
  }
}
