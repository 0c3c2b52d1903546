/** What an error of Storage means: its kind, and what to do about it. */
import { BucketError, type BucketFailure } from "./bucket.ts";

/** The fields that supabase-js's storage errors have; a network failure has neither status. */
export interface StorageFailure {
  message: string;
  status?: number | undefined;
  statusCode?: string | undefined;
}

/** Codes that say "later": a wait that ended, too many requests, and a server at fault. */
const isTemporary = (status: number) => status === 408 || status === 429 || status >= 500;

/** 402 is what a project over its plan's quota answers, 413 and 507 are HTTP's own. */
const FULL_STATUS = [402, 413, 507];
const FULL_TEXT = /exceeded the maximum allowed size|no space left|disk (is )?full|quota|ENOSPC|EDQUOT/i;

/**
 * A BucketError from what supabase-js or the network said. `action` is what failed, as in `"a/b" could not be stored`.
 * The HTTP status is 400 for nearly all of Storage's refusals; the true one is `statusCode` in the answer's body, a string.
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

/** Also what Storage answers on reading with a key that it does not accept. */
const isBucketMissing = (message: string) => /bucket not found/i.test(message);

function hintFor(failure: BucketFailure, status: number | null, message: string): string {
  if (failure === "full" && (status === 413 || /maximum allowed size/i.test(message))) {
    return "The part is larger than the project's or the bucket's file size limit. Raise the limit in Storage's settings, or " +
      "lower it here: select backup.configure(slice_bytes => 31457280, part_bytes => 20971520)";
  }
  if (failure === "full") {
    return "Storage has no room left. Keep fewer backups (backup.configure(keep_scheduled => …)), remove files, or take a larger plan.";
  }
  if (failure === "temporary") {
    return "Storage may be down for a moment. If it lasts, look at the project's status and Storage's log.";
  }
  if (failure === "missing") {
    return "It may have been removed, or was never stored.";
  }
  if (isBucketMissing(message)) {
    return "Apply the migrations, which make the bucket; if it is there, the key is not the project's secret key.";
  }
  if (status === 401 || status === 403) {
    return "The function needs the project's secret key or service_role key.";
  }
  if (status === 415) {
    return "The bucket takes application/octet-stream and application/json: apply the migrations again.";
  }
  return "Look at Storage's log for the reason.";
}
