/** What the function's environment gives access to: the database, the project's buckets, the second bucket. */
import { secretKeys } from "./caller.ts";
import { BackupError } from "./errors.ts";
import { log } from "./log.ts";
import { openSession, type Session } from "./postgres/session.ts";
import { type Login, parseTarget, urlOf, withLogin } from "./postgres/target.ts";
import type { ProjectBucket } from "./storage/bucket.ts";
import { setUploadFallback } from "./storage/http/requests.ts";
import { retrying } from "./storage/retry.ts";
import { isInProject, s3Location } from "./storage/s3/location.ts";
import { type S3Bucket, s3Bucket } from "./storage/s3/s3_bucket.ts";
import { supabaseBucket } from "./storage/supabase/supabase_bucket.ts";

/** Tries of a call to the second bucket: that it does not answer must be known before the platform ends the isolate. */
const TRIES = 2;

/** Wins over SUPABASE_DB_URL, which nobody can change. */
const OWN_DATABASE = "BACKUP_DB_URL";
/** PEM of the authority that signs the server's certificate. */
const CERTIFICATE = "BACKUP_DB_CA";
const SESSION_POOLER =
  `Set ${OWN_DATABASE} to the URL of the session pooler, which the dashboard shows under Connect (port 5432).`;

if (Deno.env.get("BACKUP_UPLOAD_CLIENT") === "fetch") setUploadFallback("BACKUP_UPLOAD_CLIENT is fetch");

/** Returns a variable of the environment. Throws BackupError `not_configured`. */
function setting(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw notConfiguredError(name);
  return value;
}

/**
 * Opens a session of the project's database, or with another login on its server. Throws BackupError `not_configured`
 * and `database_unreachable`.
 */
export async function openDatabase(purpose: string, login?: Login): Promise<Session> {
  const url = databaseUrl();
  return await openSession(login === undefined ? url : urlOf(withLogin(parseTarget(url), login)), {
    applicationName: `supabase-backup ${purpose}`,
    variable: databaseVariable(),
    // A secret that was pasted into one line has its line ends written out.
    rootCertificate: Deno.env.get(CERTIFICATE)?.replaceAll("\\n", "\n"),
  });
}

/** Returns the URL of the project's database. Throws BackupError `not_configured`. */
function databaseUrl(): string {
  const variable = databaseVariable();
  const url = setting(variable);
  if (!isTransactionPooler(url, variable)) return url;
  throw new BackupError(
    "not_configured",
    `${variable} names the transaction pooler (port 6543), where a snapshot cannot be shared: another client gets ` +
      "the session after each transaction",
    SESSION_POOLER,
  );
}

function databaseVariable(): string {
  return Deno.env.get(OWN_DATABASE) ? OWN_DATABASE : "SUPABASE_DB_URL";
}

function isTransactionPooler(url: string, variable: string): boolean {
  try {
    return parseTarget(url).transactionPooler;
  } catch (error) {
    const { message, hint } = error as BackupError;
    throw new BackupError("not_configured", `Cannot use the secret ${variable}: ${message}`, hint, error);
  }
}

/** Gives `use` a session of the database, and closes it. */
export async function withSession<T>(purpose: string, use: (control: Session) => Promise<T>): Promise<T> {
  const control = await openDatabase(purpose);
  try {
    return await use(control);
  } finally {
    await control.close();
  }
}

/** Returns what opens the buckets of this project by name. Throws BackupError `not_configured`. */
export function projectBuckets(signal: AbortSignal): (bucket: string) => ProjectBucket {
  const [url, key] = [setting("SUPABASE_URL"), secretKeys(Deno.env.get)[0]];
  if (key === undefined) throw notConfiguredError("SUPABASE_SECRET_KEYS");
  const onRetry = (error: Error, waitMs: number) =>
    log("a call to Storage is retried", { error: error.message, waitMs });
  return (bucket) => retrying(supabaseBucket({ url, key, bucket, signal }), { signal, onRetry });
}

/** Opens the bucket outside the project. Throws BackupError `not_configured`. */
export function secondBucket(signal: AbortSignal): S3Bucket {
  const location = s3Location(Deno.env.get);
  if (location === null) {
    throw new BackupError(
      "not_configured",
      "second_copy is enabled, but the function's BACKUP_S3_* secrets are not set",
      "Set them as docs/second-copy.md says, or run: select backup.configure(second_copy => 'none')",
    );
  }
  if (isInProject(location, setting("SUPABASE_URL"))) {
    throw new BackupError(
      "not_configured",
      "Cannot use the second bucket: BACKUP_S3_ENDPOINT is this project's own Storage, and a copy there goes with it",
      "Use the Storage of another project, or another service, as docs/second-copy.md says.",
    );
  }
  const onRetry = (error: Error, waitMs: number) =>
    log("a call to the second bucket is retried", { error: error.message, waitMs });
  return retrying(s3Bucket(location, { signal }), { signal, tries: TRIES, onRetry });
}

function notConfiguredError(name: string): BackupError {
  return new BackupError(
    "not_configured",
    `The function's environment has no ${name}`,
    "Supabase sets it for deployed functions. Elsewhere, pass it in the environment.",
  );
}
