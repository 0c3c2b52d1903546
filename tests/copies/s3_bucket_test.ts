/** The S3 bucket against a service that checks signatures with code of its own. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type S3, type S3Options, startS3 } from "../doubles/s3/s3.ts";
import { signatureOf } from "../doubles/s3/signature.ts";
import { keepsTheContract } from "../unit/storage/bucket_contract.ts";
import { BucketError } from "../../supabase/functions/backup/storage/bucket.ts";
import { type S3Bucket, s3Bucket } from "../../supabase/functions/backup/storage/s3/s3_bucket.ts";
import { s3Error, s3Failure } from "../../supabase/functions/backup/storage/s3/failure.ts";
import type { S3Location } from "../../supabase/functions/backup/storage/s3/location.ts";

const KEY = { accessKeyId: "AKIDTEST", secretAccessKey: "se/cr+et of the key" };
const TYPE = "application/octet-stream";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const text = (words: string) => new TextEncoder().encode(words);

async function withS3(
  test: (bucket: S3Bucket, s3: S3, location: S3Location) => Promise<void>,
  options: Partial<S3Options> = {},
  prefix = "a/b",
): Promise<void> {
  const s3 = startS3({ keys: [KEY], buckets: ["second"], region: "eu-west-9", ...options });
  const location = { endpoint: s3.url, region: "eu-west-9", bucket: "second", prefix, ...KEY };
  try {
    await test(s3Bucket(location), s3, location);
  } finally {
    await s3.stop();
  }
}

Deno.test("[s3] keeps the contract of a bucket: with a prefix, without one, and as Supabase Storage is addressed", async (test) => {
  for (const prefix of ["a/b", ""]) {
    await withS3(async (bucket) => await keepsTheContract(test, bucket), {}, prefix);
  }
  await withS3(async (bucket) => await keepsTheContract(test, bucket), { path: "/storage/v1/s3" });
});

async function fails(call: Promise<unknown>, failure: string, said: RegExp): Promise<void> {
  const error = await call.then(() => null, (error) => error);
  assert.ok(error instanceof BucketError, `${error}`);
  assert.equal(error.failure, failure);
  assert.match(error.message, said);
  assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /se\/cr/);
}

Deno.test("[s3] the stand-in's signatures are those of AWS's published examples", () => {
  const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  const date = "20130524T000000Z";
  const empty = sha256(new Uint8Array());
  const host = "examplebucket.s3.amazonaws.com";
  const get = new Headers({ host, range: "bytes=0-9", "x-amz-content-sha256": empty, "x-amz-date": date });
  assert.equal(
    signatureOf(
      { method: "GET", url: new URL(`https://${host}/test.txt`), headers: get },
      ["host", "range", "x-amz-content-sha256", "x-amz-date"],
      secret,
      "us-east-1",
      date,
    ),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  assert.equal(
    signatureOf(
      { method: "GET", url: new URL(`https://${host}/?max-keys=2&prefix=J`), headers: get },
      ["host", "x-amz-content-sha256", "x-amz-date"],
      secret,
      "us-east-1",
      date,
    ),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

Deno.test("[s3] stores, reads, looks up, lists and removes", async () => {
  await withS3(async (bucket, s3) => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    await bucket.put("one/00000.dump", bytes, TYPE, sha256(bytes));
    await bucket.put("one/manifest.json", text("{}"), "application/json");
    await bucket.put("two/00000.dump", text("x"), TYPE);
    assert.deepEqual([...s3.buckets.get("second")!.keys()], [
      "a/b/one/00000.dump",
      "a/b/one/manifest.json",
      "a/b/two/00000.dump",
    ]);
    assert.equal(s3.buckets.get("second")!.get("a/b/one/manifest.json")!.contentType, "application/json");
    assert.deepEqual(await bucket.get("one/00000.dump"), bytes);
    assert.deepEqual(await bucket.head("one/00000.dump"), { bytes: 60_000, sha256: sha256(bytes) });
    assert.equal(await bucket.head("one/00001.dump"), null);
    await fails(bucket.get("one/00001.dump"), "missing", /NoSuchKey/);
    assert.deepEqual(await bucket.list("one"), [
      { name: "00000.dump", bytes: 60_000 },
      { name: "manifest.json", bytes: 2 },
    ]);
    assert.deepEqual(await bucket.list("none"), []);
    assert.deepEqual(await bucket.folders(), ["one", "two"]);
    await bucket.remove(["one/00000.dump", "one/never.dump"]);
    assert.deepEqual(await bucket.list("one"), [{ name: "manifest.json", bytes: 2 }]);
    assert.ok(s3.requests.every(({ status }) => status < 300 || status === 404));
  });
});

Deno.test("[s3] without a prefix, and with more folders than a page has", async () => {
  await withS3(
    async (bucket, s3) => {
      const object = { bytes: text("x"), contentType: TYPE, meta: {}, sha256: null, storedAt: new Date() };
      for (let i = 0; i < 2100; i++) {
        s3.buckets.get("second")!.set(`f${String(i).padStart(4, "0")}/x`, object);
      }
      const folders = await bucket.folders();
      assert.equal(folders.length, 2100);
      assert.equal(new Set(folders).size, 2100);
      for (let i = 0; i < 1001; i++) s3.buckets.get("second")!.set(`many/${i}&<x>`, object);
      const many = await bucket.list("many");
      assert.equal(new Set(many.map(({ name }) => name)).size, 1001);
      assert.equal(many[0]!.name, "0&<x>");
    },
    {},
    "",
  );
});

Deno.test("[s3] a service that knows no checksums gets none after its first refusal", async () => {
  await withS3(async (bucket, s3) => {
    await bucket.put("one/a", text("abc"), TYPE);
    await bucket.put("one/b", text("abcd"), TYPE);
    assert.deepEqual(await bucket.head("one/b"), { bytes: 4, sha256: sha256(text("abcd")) });
    assert.deepEqual(s3.requests.map(({ method, status }) => `${method} ${status}`), [
      // Our own client, then fetch: the first refusal might have been its fault.
      "PUT 400",
      "PUT 400",
      "PUT 200",
      "PUT 200",
      "HEAD 200",
    ]);
  }, { checksums: false });
  await withS3(async (bucket) => {
    assert.equal(await bucket.head("one/b"), null);
  }, { checksums: false });
});

Deno.test("[s3] a refusal of what stands before the service does not point at the key", () => {
  const { message, hint } = s3Error("Cannot store", s3Failure(403, "error code: 1010"));
  assert.equal(message, "Cannot store: error code: 1010 (403)");
  assert.match(hint, /the key is not the reason/);
});

Deno.test("[s3] refusals say what is wrong, and never a key's secret", async () => {
  await withS3(async (_, s3, location) => {
    const other = (changes: Partial<S3Location>) => s3Bucket({ ...location, ...changes });
    await fails(other({ secretAccessKey: "wrong" }).list("x"), "refused", /SignatureDoesNotMatch.*\(403\)/);
    await fails(other({ accessKeyId: "OTHER" }).list("x"), "refused", /InvalidAccessKeyId/);
    await fails(other({ region: "eu-west-1" }).folders(), "refused", /AuthorizationHeaderMalformed/);
    await fails(other({ bucket: "third" }).get("x/y"), "refused", /NoSuchBucket/);
    await fails(
      other({ bucket: "third" }).head("x/y").then((found) => assert.equal(found, null)),
      "refused",
      /x/,
    )
      .catch(() => {});
    s3.keys[0] = { ...KEY, may: ["put", "get", "list"] };
    await fails(s3Bucket(location).remove(["x/y"]), "refused", /AccessDenied/);
    await fails(s3Bucket(location).put("../x", text("x"), TYPE), "refused", /Invalid object name/);
    // What changes on the way is refused there, and worth another try.
    await fails(s3Bucket(location).put("x/y", text("x"), TYPE, sha256(text("y"))), "temporary", /SHA256/);
  });
  await withS3(async (bucket) => {
    await fails(bucket.list("x"), "refused", /RequestTimeTooSkewed/);
  }, { now: () => new Date(Date.now() + 16 * 60_000) });
});

Deno.test("[s3] faults of the service and of the line are temporary", async () => {
  const answers = [
    () => new Response("<Error><Code>SlowDown</Code><Message>Reduce</Message></Error>", { status: 503 }),
    () => new Response("<html>gateway</html>", { status: 502 }),
    () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } }),
  ];
  await withS3(async (bucket) => {
    await fails(bucket.put("x/y", text("x"), TYPE), "temporary", /SlowDown: Reduce \(503\)/);
    await fails(bucket.get("x/y"), "temporary", /\(502\)/);
    await fails(bucket.get("x/y"), "refused", /\(307\)/);
  }, { intercept: () => answers.shift()?.() ?? null });
  const nobody = { endpoint: "http://127.0.0.1:1", region: "r", bucket: "second", prefix: "", ...KEY };
  await fails(s3Bucket(nobody).put("x/y", text("x"), TYPE), "temporary", /Cannot store/);
  await fails(s3Bucket(nobody).get("x/y"), "temporary", /Cannot read/);
});
