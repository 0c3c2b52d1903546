/**
 * The edge: who calls, what is asked, the answer. A call with a token works on a run, copies backups out of the project, or tells of events; with the secret key
 * `POST {}` starts a run, `{"log": {"limit": n, "run_id": n}}` reads the log, `{"health": true}` looks at everything,
 * `{"prune": {"remove": [names]}}` plans a rotation and removes what is named, and `{"alert": "test"}` sends a test on every channel. Answers are JSON; errors are `{code, message, hint}`.
 */
import { redeemForAlerts } from "./alerts/log.ts";
import { RunSignals } from "./alerts/run_signals.ts";
import { tell, testAlerts } from "./alerts/tell.ts";
import { type Caller, identifyCaller, secretKeys } from "./caller.ts";
import { copyBackups } from "./copy/copy.ts";
import { redeemCopyToken } from "./copy/verbs.ts";
import { BackupError, type BackupErrorCode } from "./errors.ts";
import { Isolate } from "./isolate.ts";
import { workOn } from "./pipeline.ts";
import { openSession, type Session } from "./postgres/session.ts";
import { prune } from "./rotation/prune.ts";
import { readHealth, readLog, startRun } from "./run/calls.ts";
import { redeemToken } from "./run/verbs.ts";
import type { Bucket } from "./storage/bucket.ts";
import { retrying } from "./storage/retry.ts";
import { type S3Bucket, s3Bucket } from "./storage/s3.ts";
import { s3Location } from "./storage/s3_location.ts";
import { supabaseBucket } from "./storage/supabase.ts";

/** The platform's; keeps the isolate alive until the promise settles. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

const STATUS: Partial<Record<BackupErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  not_started: 409,
  busy: 503,
};

/** Tries of a call to the second bucket: a service that does not answer shall be known before the platform ends us. */
const TRIES = 2;

/** How the database begins tokens for copying. */
const COPY_TOKEN = "copy-";

/** And those for alerts. */
const ALERT_TOKEN = "alert-";

const isolate = new Isolate();
isolate.listen(globalThis);

async function answer(request: Request): Promise<Response> {
  try {
    if (request.method !== "POST") {
      return json(405, {
        code: "bad_request",
        message: `${request.method} is not answered here`,
        hint: "Use POST.",
      }, { allow: "POST" });
    }
    const caller = identifyCaller(request, Deno.env.get);
    if (caller === null) throw unauthorized();
    // A token says all there is to say; and who shows one may be anybody until the database has looked at it, so his body is not read.
    return caller.kind === "token" ? await work(caller) : await serve(await readBody(request));
  } catch (error) {
    return failure(error);
  }
}

/** Answers at once, and works on after it. */
async function work({ token }: Caller & { kind: "token" }): Promise<Response> {
  const databaseUrl = setting("SUPABASE_DB_URL");
  if (token.startsWith(COPY_TOKEN)) return await copy(token, databaseUrl);
  if (token.startsWith(ALERT_TOKEN)) return await tellEvents(token, databaseUrl);
  const free = isolate.begin();
  if (free === null && !isolate.canInterrupt) throw busy();
  let turn = free;
  try {
    const runId = await withSession(databaseUrl, (control) => redeemToken(control, token));
    if (runId === null) throw unauthorized();
    // Copying can wait. Whoever may ask for that, the token has told.
    turn ??= await isolate.interrupt();
    if (turn === null) throw busy();
    EdgeRuntime.waitUntil(workOn({
      runId,
      databaseUrl,
      openBucket: bucketOpener(isolate.stopping),
      share: turn.share,
      stopping: isolate.stopping,
      onIdle: turn.end,
      signals: new RunSignals(Deno.env.get, log),
      log,
    }));
    return json(202, { run_id: runId });
  } catch (error) {
    turn?.end(0);
    throw error;
  }
}

/** Copies backups out of the project, until the isolate is needed for a run. */
async function copy(token: string, databaseUrl: string): Promise<Response> {
  if (!await withSession(databaseUrl, (control) => redeemCopyToken(control, token))) throw unauthorized();
  const interruption = new AbortController();
  const turn = await isolate.beginSoon(interruption);
  if (turn === null) throw busy();
  const stopping = AbortSignal.any([isolate.stopping, interruption.signal]);
  try {
    EdgeRuntime.waitUntil(copyBackups({
      databaseUrl,
      openBucket: bucketOpener(stopping),
      openSecond: () => secondBucket(stopping),
      share: turn.share,
      stopping,
      onIdle: turn.end,
      log,
    }));
    return json(202, { copying: true });
  } catch (error) {
    turn.end(0);
    throw error;
  }
}

function busy(): BackupError {
  return new BackupError("busy", "This isolate works on another call", "The database calls again by itself.");
}

/** Answers at once, and tells after it. It takes no turn: a few requests cost next to no CPU, and are worth most while a run fails. */
async function tellEvents(token: string, databaseUrl: string): Promise<Response> {
  const control = await openSession(databaseUrl, { applicationName: "supabase-backup alerts" });
  try {
    if (!await redeemForAlerts(control, token)) throw unauthorized();
  } catch (error) {
    await control.close();
    throw error;
  }
  EdgeRuntime.waitUntil(
    tell(control, Deno.env.get)
      .catch((error) => log("alerts were not told", { error: String(error) }))
      .finally(() => control.close().catch(() => {})),
  );
  return json(202, {});
}

async function serve(body: Record<string, unknown>): Promise<Response> {
  return await withSession(setting("SUPABASE_DB_URL"), async (control) => {
    if (body["log"] !== undefined) return json(200, { runs: await readLog(control, body["log"]) });
    if (body["health"] === true) return json(200, { health: await readHealth(control) });
    if (body["prune"] !== undefined) {
      return json(200, await prune(control, bucketOpener(isolate.stopping), body["prune"]));
    }
    if (body["alert"] === "test") return json(200, { channels: await testAlerts(control, Deno.env.get) });
    // Who asks for something that this function does not know must not get a backup instead.
    if (Object.keys(body).length > 0) throw unknownRequest(body);
    return json(202, { run_id: await startRun(control) });
  });
}

function unknownRequest(body: Record<string, unknown>): BackupError {
  return new BackupError(
    "bad_request",
    `The function does not know what ${JSON.stringify(Object.keys(body)).slice(0, 100)} asks for`,
    'Send {} to start a backup; {"log": {}}, {"health": true}, {"prune": {}} and {"alert": "test"} ask for something else.',
  );
}

/** Opens buckets of this project. Throws BackupError `not_configured`. */
function bucketOpener(signal: AbortSignal): (bucket: string) => Bucket {
  const [url, key] = [setting("SUPABASE_URL"), secretKeys(Deno.env.get)[0]];
  if (key === undefined) throw notConfigured("SUPABASE_SECRET_KEYS");
  const onRetry = (error: Error, waitMs: number) =>
    log("Storage is asked again", { error: error.message, waitMs });
  return (bucket) => retrying(supabaseBucket({ url, key, bucket, signal }), { signal, onRetry });
}

/** The bucket outside the project. Throws BackupError `not_configured`. */
function secondBucket(signal: AbortSignal): S3Bucket {
  const location = s3Location(Deno.env.get);
  if (location === null) {
    throw new BackupError(
      "not_configured",
      "The settings ask for a second copy, and the function has no BACKUP_S3_ENDPOINT and what belongs to it",
      "Set the function's secrets as docs/second-copy.md says, or: select backup.configure(second_copy => 'none')",
    );
  }
  const onRetry = (error: Error, waitMs: number) =>
    log("The second bucket is asked again", { error: error.message, waitMs });
  return retrying(s3Bucket(location, { signal }), { signal, tries: TRIES, onRetry });
}

async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  try {
    const body: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      return body as Record<string, unknown>;
    }
  } catch { /* said below */ }
  throw new BackupError("bad_request", "The body is not a JSON object", "Send {} to start a backup.");
}

async function withSession<T>(url: string, use: (control: Session) => Promise<T>): Promise<T> {
  const control = await openSession(url, { applicationName: "supabase-backup call" });
  try {
    return await use(control);
  } finally {
    await control.close();
  }
}

function setting(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw notConfigured(name);
  return value;
}

function notConfigured(name: string): BackupError {
  return new BackupError(
    "not_configured",
    `The function's environment has no ${name}`,
    "Supabase sets it for deployed functions; elsewhere pass it in the environment.",
  );
}

function unauthorized(): BackupError {
  return new BackupError(
    "unauthorized",
    "The call shows no token of this database and no secret key of this project",
    "Send the secret key as `Authorization: Bearer …`, or start the backup in SQL: select backup.start('manual')",
  );
}

function failure(error: unknown): Response {
  if (!(error instanceof BackupError)) {
    log("call failed", { error: String(error) });
    return json(500, { code: "internal", message: "The call failed", hint: "See the logs of the function." });
  }
  const { code, message, hint } = error;
  log("call refused", { code, message });
  return json(STATUS[code] ?? 500, { code, message, hint });
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

function log(message: string, facts: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ message, ...facts }));
}

Deno.serve(answer);
