/** Classifies an error of an S3 service, and gives advice. */
import { BucketError, type BucketFailure } from "../bucket.ts";
import { cloudflareHint, textOf as lineOf } from "../http/refusal.ts";
import { textOf } from "./xml.ts";

/** The error of a service: HTTP status, S3's code (empty where there was no body, as after HEAD) and message. */
export interface S3Failure {
  status: number;
  code: string;
  message: string;
}

/**
 * Of a service's own error reads code and message only: some put the key's name and the signed text into other
 * elements.
 */
export function s3Failure(status: number, body: string): S3Failure {
  if (!/<Error[\s>]/.test(body)) return { status, code: "", message: lineOf(body) };
  return { status, code: textOf(body, "Code") ?? "", message: (textOf(body, "Message") ?? "").slice(0, 300) };
}

/**
 * Codes that mean "later" although their status does not; a checksum that does not match was a fault of the network.
 */
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
    "Create the bucket, or correct BACKUP_S3_BUCKET. With R2 and B2 the endpoint must be the account's own.",
  InvalidAccessKeyId:
    "The service does not know BACKUP_S3_ACCESS_KEY_ID. Create a key, and set both halves of it.",
  SignatureDoesNotMatch:
    "BACKUP_S3_SECRET_ACCESS_KEY does not belong to BACKUP_S3_ACCESS_KEY_ID. Set both halves of one key.",
  AuthorizationHeaderMalformed: "Set BACKUP_S3_REGION to the bucket's region (`auto` for R2).",
  PermanentRedirect: "Set BACKUP_S3_ENDPOINT and BACKUP_S3_REGION to those of the bucket's region.",
  RequestTimeTooSkewed: "The clocks of the function and of the service differ by more than 15 minutes.",
  AccessDenied: "Give the key the policy that docs/second-copy.md shows.",
};

/** Returns a BucketError; `action` is what failed, as in `Cannot store "a/b" in the second bucket`. */
export function s3Error(action: string, { status, code, message }: S3Failure): BucketError {
  const failure = kindOf(status, code);
  const said = [code, message].filter((word) => word !== "").join(": ") || "no reason given";
  return new BucketError(failure, `${action}: ${said} (${status})`, hintFor(failure, status, code, message));
}

function kindOf(status: number, code: string): BucketFailure {
  if (FULL.test(code) || status === 413 || status === 507) return "full";
  if (status === 404 && code !== "NoSuchBucket") return "missing";
  // 501: the service will never support it.
  const later = status === 408 || status === 429 || status >= 500 && status !== 501;
  return later || TEMPORARY.has(code) ? "temporary" : "refused";
}

function hintFor(failure: BucketFailure, status: number, code: string, message: string): string {
  const known = HINTS[code] ?? cloudflareHint(message);
  if (known != null) return known;
  if (failure === "missing") return "It may have been removed there, or was never copied.";
  if (failure === "temporary") {
    return "The service may be down for a moment. If it lasts, check its status page.";
  }
  if (failure === "full") {
    return "The second bucket is full. Remove something there, or choose a larger plan.";
  }
  if (status === 403) return HINTS.AccessDenied!;
  return "docs/second-copy.md says what the bucket and its key must be like.";
}
