/** Classifies an error of Storage, and gives advice. */
import { BucketError, type BucketFailure } from "../bucket.ts";
import { cloudflareHint } from "../http/refusal.ts";

/** The fields that supabase-js's storage errors have; a network failure has neither status. */
export interface StorageFailure {
  message: string;
  status?: number | undefined;
  statusCode?: string | undefined;
}

/** Codes that mean "later": a timeout, too many requests, a server at fault. */
const isTemporary = (status: number) => status === 408 || status === 429 || status >= 500;

/** A project over its plan's quota returns 402; 413 and 507 are HTTP's own. */
const FULL_STATUS = [402, 413, 507];
const FULL_TEXT = /exceeded the maximum allowed size|no space left|disk (is )?full|quota|ENOSPC|EDQUOT/i;

/**
 * Returns a BucketError for an error of supabase-js or the network. `action` is what failed, as in
 * `Cannot store "a/b"`. The HTTP status is 400 for nearly all of Storage's refusals; the true one is `statusCode` in
 * the answer's body, a string.
 */
export function bucketError(action: string, error: StorageFailure): BucketError {
  const status = trueStatus(error);
  const failure = kindOf(status, error.message);
  const said = status === null ? error.message : `${error.message} (${status})`;
  return new BucketError(
    failure,
    `${action}: ${said}`,
    hintFor(failure, status, error.message),
    error,
  );
}

function trueStatus({ status, statusCode }: StorageFailure): number | null {
  return /^[1-5]\d\d$/.test(statusCode ?? "") ? Number(statusCode) : status || null;
}

function kindOf(status: number | null, message: string): BucketFailure {
  if (FULL_TEXT.test(message) || FULL_STATUS.includes(status ?? 0)) {
    return "full";
  }
  if (status === null || isTemporary(status)) return "temporary";
  return status === 404 && !isBucketMissing(message) ? "missing" : "refused";
}

/** Storage says the same when it does not accept the key for reading. */
const isBucketMissing = (message: string) => /bucket not found/i.test(message);

function hintFor(failure: BucketFailure, status: number | null, message: string): string {
  const refusedByCloudflare = cloudflareHint(message);
  if (refusedByCloudflare !== null) return refusedByCloudflare;
  if (failure === "full" && (status === 413 || /maximum allowed size/i.test(message))) {
    return "The part exceeds the file size limit of the project or the bucket. Raise the limit in Storage's settings, or " +
      "lower it here: select backup.configure(slice_bytes => 31457280, part_bytes => 20971520)";
  }
  if (failure === "full") {
    return "Storage is full. Keep fewer backups with backup.configure(keep_scheduled => …), remove files, or choose a larger plan.";
  }
  if (failure === "temporary") {
    return "Storage may be down for a moment. If it lasts, check the project's status and Storage's log.";
  }
  if (failure === "missing") {
    return "It may have been removed, or was never stored.";
  }
  if (isBucketMissing(message)) {
    return "Apply the migrations, which create the bucket. If it exists, the key is not the project's secret key.";
  }
  if (status === 401 || status === 403) {
    return "The function needs the project's secret key or service_role key.";
  }
  if (status === 415) {
    return "The bucket must accept application/octet-stream and application/json. Apply the migrations again.";
  }
  return "Check Storage's log for the reason.";
}
