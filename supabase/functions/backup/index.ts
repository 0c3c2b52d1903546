/**
 * The edge: reads a request, does what it asks for, answers in JSON. A call with a token works on a run, copies backups
 * out of the project, delivers alerts, or restores inside the project. With the secret key `POST {}` starts a run,
 * `{"log": {"limit": n, "run_id": n}}` reads the log, `{"health": true}` reads `backup.health`,
 * `{"prune": {"remove": [names]}}` plans a rotation and removes the named backups, and `{"alert": "test"}` sends a test
 * on every channel.
 */
import { RunSignals } from "./alerts/run_signals.ts";
import { deliverDue, testAlerts } from "./alerts/deliver.ts";
import {
  busyError,
  failure,
  json,
  methodNotAllowed,
  repeatedError,
  unauthorizedError,
  unreachableError,
} from "./answers.ts";
import { type Caller, identifyCaller } from "./caller.ts";
import { copyBackups } from "./copy/copy.ts";
import { openDatabase, projectBuckets, secondBucket, withSession } from "./environment.ts";
import { BackupError } from "./errors.ts";
import { workInside } from "./inside/inside.ts";
import { Isolate } from "./isolate.ts";
import { log } from "./log.ts";
import { workOn } from "./pipeline.ts";
import { UnreachableError } from "./postgres/unreachable.ts";
import { prune } from "./rotation/prune.ts";
import { readHealth, readLog, startRun } from "./run/admin_requests.ts";
import { checkVersion } from "./run/check_version.ts";
import { isRedeemed, type Redeemed, redeemToken } from "./run/run_client.ts";
import type { Turn } from "./turn.ts";
import { VERSION } from "./version.ts";

/** Belongs to the platform: keeps the isolate alive until the promise settles. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

/** How the database begins tokens for copies, alerts and restores; those for runs are all others. */
const COPY_TOKEN = "copy-";
const ALERT_TOKEN = "alert-";
const RESTORE_TOKEN = "restore-";

/** Errors that hold nothing of use to a stranger. */
const TOLD = ["version_mismatch", "not_configured", "call_repeated"];

/** Tokens that may be looked up at the same time: made-up ones must not take the database's connections. */
const MOST_LOOK_UPS = 4;
let lookUps = 0;

const isolate = new Isolate();
isolate.listen(globalThis);

async function answer(request: Request): Promise<Response> {
  try {
    if (request.method !== "POST") return methodNotAllowed(request.method);
    const caller = identifyCaller(request, Deno.env.get);
    if (caller === null) throw unauthorizedError();
    // A token says all that there is to say. Its bearer may be anybody until the database has looked at it, so the body
    // is not read.
    return caller.kind === "token" ? await work(caller) : await serve(await readBody(request));
  } catch (error) {
    return failure(error);
  }
}

/** Works on a run, after the answer. */
async function work({ token }: Caller & { kind: "token" }): Promise<Response> {
  if (token.startsWith(COPY_TOKEN)) return await interruptibly(token, "copy", copy);
  if (token.startsWith(RESTORE_TOKEN)) return await interruptibly(token, "restore", restore);
  if (token.startsWith(ALERT_TOKEN)) return await deliverAlerts(token);
  const free = isolate.begin();
  if (free === null && !isolate.canInterrupt) throw busyError();
  let turn = free;
  try {
    const runId = await redeem(token, "run");
    // Copying can wait; only a valid token may interrupt it.
    turn ??= await isolate.interrupt();
    if (turn === null) throw busyError();
    EdgeRuntime.waitUntil(workOn({
      runId: runId!,
      openDatabase,
      openBucket: projectBuckets(isolate.stopping),
      turn,
      stopping: isolate.stopping,
      signals: new RunSignals(Deno.env.get, log),
      log,
    }));
    return json(202, { run_id: runId });
  } catch (error) {
    turn?.[Symbol.dispose]();
    throw error;
  }
}

/** Begins work after the answer, which goes on until the isolate is needed for a run. */
async function interruptibly(
  token: string,
  purpose: Redeemed["purpose"],
  begin: (turn: Turn, stopping: AbortSignal) => Promise<void>,
): Promise<Response> {
  await redeem(token, purpose);
  const interruption = new AbortController();
  const turn = await isolate.beginSoon(interruption);
  if (turn === null) throw busyError();
  try {
    EdgeRuntime.waitUntil(begin(turn, AbortSignal.any([isolate.stopping, interruption.signal])));
    return json(202, { purpose });
  } catch (error) {
    turn[Symbol.dispose]();
    throw error;
  }
}

/** Copies backups out of the project. */
function copy(turn: Turn, stopping: AbortSignal): Promise<void> {
  return copyBackups({
    openDatabase,
    openBucket: projectBuckets(stopping),
    openSecond: () => secondBucket(stopping),
    turn,
    stopping,
    log,
  });
}

/** Looks into backups, restores tables beside the living ones, drills. */
function restore(turn: Turn, stopping: AbortSignal): Promise<void> {
  return workInside({
    openDatabase,
    openBucket: projectBuckets(stopping),
    turn,
    stopping,
    log,
  });
}

/**
 * Delivers alerts, after the answer. It takes no turn: a few requests cost hardly any CPU, and matter most while a run
 * fails.
 */
async function deliverAlerts(token: string): Promise<Response> {
  await redeem(token, "alert");
  EdgeRuntime.waitUntil(
    withSession("alerts", (control) => deliverDue(control, Deno.env.get))
      .catch((error) => log("alerts were not delivered", { error: String(error) })),
  );
  return json(202, {});
}

/**
 * Uses up a token for this purpose and returns its run. Until that is done the caller may be anybody: an answer names
 * neither host, role nor key. That the database cannot be reached is told all the same, because the caller is the only
 * one who can write it into the run's log. Only a few at a time may hold a session of the database.
 */
async function redeem(token: string, purpose: Redeemed["purpose"]): Promise<number | null> {
  if (lookUps >= MOST_LOOK_UPS) throw busyError();
  lookUps++;
  let redeemed: Redeemed | null = null;
  try {
    redeemed = await withSession("call", async (control) => {
      const redeemed = await redeemToken(control, token);
      if (redeemed === null && await isRedeemed(control, token)) throw repeatedError();
      // Only the holder of a valid token learns of versions.
      if (redeemed?.purpose === purpose) await checkVersion(control);
      return redeemed;
    });
  } catch (error) {
    if (error instanceof BackupError && TOLD.includes(error.code)) throw error;
    log("Cannot look up a call's token", { error: String(error) });
    if (error instanceof UnreachableError) throw unreachableError(error);
  } finally {
    lookUps--;
  }
  if (redeemed?.purpose !== purpose) throw unauthorizedError();
  return redeemed.runId;
}

async function serve(body: Record<string, unknown>): Promise<Response> {
  if (body["version"] === true) return json(200, { version: VERSION });
  return await withSession("call", async (control) => {
    await checkVersion(control);
    if (body["log"] !== undefined) return json(200, { runs: await readLog(control, body["log"]) });
    if (body["health"] === true) return json(200, { health: await readHealth(control) });
    if (body["prune"] !== undefined) {
      return json(200, await prune(control, projectBuckets(isolate.stopping), body["prune"]));
    }
    if (body["alert"] === "test") return json(200, { channels: await testAlerts(control, Deno.env.get) });
    // A request that this function does not know must not start a backup instead.
    if (Object.keys(body).length > 0) throw unknownRequest(body);
    return json(202, { run_id: await startRun(control) });
  });
}

function unknownRequest(body: Record<string, unknown>): BackupError {
  return new BackupError(
    "bad_request",
    `Unknown request ${JSON.stringify(Object.keys(body)).slice(0, 100)}`,
    'Send {} to start a backup; {"log": {}}, {"health": true}, {"prune": {}} and {"alert": "test"} are the other requests.',
  );
}

async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  try {
    const body: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      return body as Record<string, unknown>;
    }
  } catch { /* reported below */ }
  throw new BackupError("bad_request", "The request body is not a JSON object", "Send {} to start a backup.");
}

Deno.serve(answer);
