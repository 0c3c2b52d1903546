import assert from "node:assert/strict";
import { BucketError, type BucketFailure } from "../../../supabase/functions/backup/storage/bucket.ts";
import { bucketError } from "../../../supabase/functions/backup/storage/supabase/failure.ts";
import { memoryBucket } from "../../doubles/memory_bucket.ts";
import { retrying } from "../../../supabase/functions/backup/storage/retry.ts";
import { failsWith } from "./bucket_contract.ts";

/** A bucket of which the first `times` calls of `folders` fail, and the waits that retries took. */
function failing(failure: BucketFailure, times: number, random = () => 1) {
  const waits: number[] = [];
  let calls = 0;
  const bucket = retrying({
    ...memoryBucket(),
    folders: () => {
      if (calls++ < times) return Promise.reject(new BucketError(failure, "it failed", "do something"));
      return Promise.resolve(["a"]);
    },
  }, { random, sleep: (ms) => Promise.resolve(void waits.push(ms)) });
  return { bucket, waits, calls: () => calls };
}

Deno.test("[retrying] waits twice as long each time, up to a limit, and answers in the end", async () => {
  const { bucket, waits } = failing("temporary", 5);
  assert.deepEqual(await bucket.folders(), ["a"]);
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000]);
});

Deno.test("[retrying] takes a random part of the wait's second half", async () => {
  const { bucket, waits } = failing("temporary", 2, () => 0);
  await bucket.folders();
  assert.deepEqual(waits, [250, 500]);
});

Deno.test("[retrying] gives up after six tries with the last error, and says so", async () => {
  const { bucket, calls } = failing("temporary", 100);
  await assert.rejects(() => bucket.folders(), failsWith("temporary", /^it failed, 6 times in a row$/));
  assert.equal(calls(), 6);
});

for (const failure of ["missing", "full", "refused"] as const) {
  Deno.test(`[retrying] does not repeat what failed as ${failure}`, async () => {
    const { bucket, waits } = failing(failure, 1);
    await assert.rejects(() => bucket.folders(), failsWith(failure, /^it failed$/));
    assert.deepEqual(waits, []);
  });
}

Deno.test("[retrying] does not repeat what failed for a reason of ours", async () => {
  let calls = 0;
  const bucket = retrying({
    ...memoryBucket(),
    list: (_folder: string) => {
      calls++;
      return Promise.reject(new TypeError("a bug"));
    },
  });
  await assert.rejects(() => bucket.list("a"), new TypeError("a bug"));
  assert.equal(calls, 1);
});

Deno.test("[retrying] ends its wait when it is told to stop", async () => {
  const stop = new AbortController();
  const bucket = retrying({
    ...memoryBucket(),
    folders: () => Promise.reject(new BucketError("temporary", "it failed", "")),
  }, { signal: stop.signal, onRetry: () => stop.abort(new Error("told to stop")), random: () => 10_000 });
  // The wait would be forty minutes.
  await assert.rejects(() => bucket.folders(), new Error("told to stop"));
});

Deno.test("[bucketError] reads the true status from the body's statusCode, and the kind from it", () => {
  const cases: [BucketFailure, { message: string; status?: number; statusCode?: string }][] = [
    ["missing", { message: "Object not found", status: 400, statusCode: "404" }],
    ["refused", { message: "Bucket not found", status: 400, statusCode: "404" }],
    ["full", { message: "The object exceeded the maximum allowed size", status: 400, statusCode: "413" }],
    ["full", { message: "Payload too large", status: 413, statusCode: "413" }],
    ["full", { message: "restricted due to: exceed_storage_size_quota", status: 402, statusCode: "402" }],
    ["full", { message: "ENOSPC: no space left on device, write", status: 500, statusCode: "500" }],
    ["refused", { message: "new row violates row-level security policy", status: 400, statusCode: "403" }],
    ["refused", { message: "mime type text/html is not supported", status: 400, statusCode: "415" }],
    ["refused", { message: "Invalid Compact JWS", status: 400, statusCode: "InvalidJWT" }],
    ["temporary", { message: "database error", status: 400, statusCode: "500" }],
    ["temporary", { message: "Bad Gateway", status: 502, statusCode: "502" }],
    ["temporary", { message: "Too many connections", status: 429, statusCode: "SlowDown" }],
    ["temporary", { message: "Request Timeout", status: 400, statusCode: "408" }],
    ["temporary", { message: "fetch failed" }],
  ];
  for (const [failure, error] of cases) {
    const { failure: kind, code, hint, message } = bucketError("X failed", error);
    assert.equal(kind, failure, error.message);
    assert.equal(code, failure === "full" ? "storage_full" : "storage_failed");
    assert.ok(message.startsWith(`X failed: ${error.message}`) && hint.length > 20);
  }
});
