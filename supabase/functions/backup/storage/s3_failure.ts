/** What an error of an S3 service means: its kind, and what to do about it. */
import { BucketError, type BucketFailure } from "./bucket.ts";
import { textOf } from "./s3_xml.ts";

/** What a service said: HTTP status, S3's code (empty where there was no body, as after HEAD) and message. */
export interface S3Failure {
  status: number;
  code: string;
  message: string;
}

/** Only code and message: some services put the key's name and what was signed into other elements. */
export function s3Failure(status: number, body: string): S3Failure {
  return { status, code: textOf(body, "Code") ?? "", message: (textOf(body, "Message") ?? "").slice(0, 300) };
}

/** Codes that say "later" with a status that does not; a checksum that does not match was a fault of the line. */
const TEMPORARY = new Set([
  "RequestTimeout",
  "SlowDown",
  "BadDigest",
  "IncompleteBody",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
]);
const FULL =
  /^(EntityTooLarge|QuotaExceeded|InsufficientStorage|StorageQuotaExceeded|XMinioStorageFull|StorageCapExceeded)$/;

const HINTS: Record<string, string> = {
  NoSuchBucket:
    "Create the bucket, or correct BACKUP_S3_BUCKET; with R2 and B2 the endpoint must be the account's own.",
  InvalidAccessKeyId:
    "BACKUP_S3_ACCESS_KEY_ID is not known there: make a new key, and set both halves of it.",
  SignatureDoesNotMatch:
    "BACKUP_S3_SECRET_ACCESS_KEY does not belong to BACKUP_S3_ACCESS_KEY_ID: set both halves of one key.",
  AuthorizationHeaderMalformed: "BACKUP_S3_REGION is not the bucket's region (R2 has `auto`).",
  PermanentRedirect: "BACKUP_S3_ENDPOINT and BACKUP_S3_REGION are not those of the bucket's region.",
  RequestTimeTooSkewed: "The clocks here and there differ by more than a quarter of an hour.",
  AccessDenied: "The key may not do this: docs/second-copy.md has the policy that it needs.",
};

/** A BucketError; `action` is what failed, as in `"a/b" could not be stored in the second bucket`. */
export function s3Error(action: string, { status, code, message }: S3Failure): BucketError {
  const failure = kindOf(status, code);
  const said = [code, message].filter((word) => word !== "").join(": ") || "no reason given";
  return new BucketError(failure, `${action}: ${said} (${status})`, hintFor(failure, status, code));
}

function kindOf(status: number, code: string): BucketFailure {
  if (FULL.test(code) || status === 413 || status === 507) return "full";
  if (status === 404 && code !== "NoSuchBucket") return "missing";
  // 501 says that the service cannot, now or later.
  const later = status === 408 || status === 429 || status >= 500 && status !== 501;
  return later || TEMPORARY.has(code) ? "temporary" : "refused";
}

function hintFor(failure: BucketFailure, status: number, code: string): string {
  const known = HINTS[code];
  if (known !== undefined) return known;
  if (failure === "missing") return "It may have been removed there, or was never copied.";
  if (failure === "temporary") {
    return "The service may be down for a moment. If it lasts, look at its status.";
  }
  if (failure === "full") {
    return "The second bucket has no room left: remove something there, or take a larger plan.";
  }
  if (status === 403) return HINTS.AccessDenied!;
  return "docs/second-copy.md says what the bucket and its key must be like.";
}
