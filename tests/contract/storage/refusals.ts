/** Refusals as bodies have them: status, error, code, message. */
import assert from "node:assert/strict";
import type { Answer } from "./project.ts";

export const REFUSED = {
  noAuthorization: ["400", "Error", "InvalidRequest", "headers must have required property 'authorization'"],
  badSignature: ["403", "Unauthorized", "AccessDenied", "signature verification failed"],
  expired: ["403", "Unauthorized", "AccessDenied", '"exp" claim timestamp check failed'],
  noToken: ["403", "Unauthorized", "AccessDenied", "Invalid Compact JWS"],
  byPolicy: ["403", "Unauthorized", "AccessDenied", "new row violates row-level security policy"],
  noBucket: ["404", "Bucket not found", "NoSuchBucket", "Bucket not found"],
  noObject: ["404", "not_found", "NoSuchKey", "Object not found"],
  bucketExists: ["409", "Duplicate", "BucketAlreadyExists", "The resource already exists"],
  objectExists: ["409", "Duplicate", "KeyAlreadyExists", "The resource already exists"],
  notEmpty: ["409", "ResourceNotEmpty", "ResourceNotEmpty", "The bucket you tried to delete is not empty"],
  tooLarge: ["413", "Payload too large", "EntityTooLarge", "The object exceeded the maximum allowed size"],
  badBucketName: ["400", "Invalid Input", "InvalidBucketName", "Bucket name invalid"],
} as const;

export type Refusal = keyof typeof REFUSED | readonly [string, string, string, string];

/** Asserts that a request was refused: with HTTP status 400 unless told, and the true status in the body. */
export function assertRefused({ status, body }: Answer, refusal: Refusal, httpStatus = 400): void {
  const [statusCode, error, code, message] = typeof refusal === "string" ? REFUSED[refusal] : refusal;
  assert.deepEqual({ status, body }, { status: httpStatus, body: { statusCode, error, code, message } });
}

/** What supabase-js leaves of a refusal. */
export function assertClientRefused(error: { message: string } | null, refusal: keyof typeof REFUSED): void {
  const [statusCode, , , message] = REFUSED[refusal];
  const { name, status, ...seen } = error as unknown as Record<string, unknown>;
  assert.deepEqual(
    { name, status, message: error?.message, statusCode: seen.statusCode },
    { name: "StorageApiError", status: 400, message, statusCode },
  );
}
