import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import { verifyParts } from "../../../supabase/functions/backup/manifest/verify.ts";
import { sha256Hex } from "../../../supabase/functions/backup/storage/sha256.ts";
import type { Bucket } from "../../../supabase/functions/backup/storage/bucket.ts";
import { memoryBucket } from "../../doubles/memory_bucket.ts";

const FOLDER = "backup-20261122-030000";

/** A stored backup of three parts, each a few pieces long, and the names that were reported. */
async function stored() {
  const bucket = memoryBucket();
  const parts = [];
  for (const [index, length] of [5000, 1, 2500].entries()) {
    const bytes = new Uint8Array(length).map((_, position) => position * 7 + index);
    const name = `0000${index}.dump`;
    await bucket.put(`${FOLDER}/${name}`, bytes, "application/octet-stream");
    parts.push({ name, bytes: length, sha256: createHash("sha256").update(bytes).digest("hex") });
  }
  const verified: string[] = [];
  const options = {
    alreadyVerified: new Set<string>(),
    onVerified: (name: string) => void verified.push(name),
  };
  return { bucket, parts, verified, options };
}

function failed(message: string) {
  return (error: unknown) => {
    assert.ok(error instanceof BackupError, String(error));
    assert.equal(error.code, "verification_failed");
    assert.equal(
      error.message,
      `Cannot verify ${FOLDER}: its content in Storage differs from what was written: ${message}`,
    );
    return true;
  };
}

Deno.test("[verifyParts] reads every part back and reports each", async () => {
  const { bucket, parts, verified, options } = await stored();
  await bucket.put(`${FOLDER}/manifest.json`, new Uint8Array(3), "application/json");
  assert.equal(await verifyParts(bucket, FOLDER, parts, options), true);
  assert.deepEqual(verified, ["00000.dump", "00001.dump", "00002.dump"]);
});

Deno.test("[verifyParts] names missing, foreign and wrong-sized parts before it reads any", async () => {
  const { bucket, parts, verified, options } = await stored();
  bucket.objects.delete(`${FOLDER}/00000.dump`);
  await bucket.put(`${FOLDER}/00002.dump`, new Uint8Array(2499), "application/octet-stream");
  await bucket.put(`${FOLDER}/00003.dump`, new Uint8Array(1), "application/octet-stream");
  await assert.rejects(
    () => verifyParts(bucket, FOLDER, parts, options),
    failed(
      "00000.dump is missing; 00002.dump has 2499 bytes instead of 2500; 00003.dump is not part of the backup",
    ),
  );
  assert.deepEqual(verified, []);
});

Deno.test("[verifyParts] names a few parts only when all are missing", async () => {
  const parts = Array.from({ length: 8 }, (_, i) => ({ name: `0000${i}.dump`, bytes: 1, sha256: "" }));
  const { options } = await stored();
  await assert.rejects(
    () => verifyParts(memoryBucket(), FOLDER, parts, options),
    failed(`${parts.slice(0, 5).map(({ name }) => `${name} is missing`).join("; ")}; and 3 more`),
  );
});

Deno.test("[verifyParts] finds one changed bit in a part of the same size", async () => {
  const { bucket, parts, verified, options } = await stored();
  const { bytes } = bucket.objects.get(`${FOLDER}/00002.dump`)!;
  bytes[2000]! ^= 1;
  await assert.rejects(
    () => verifyParts(bucket, FOLDER, parts, options),
    failed(`00002.dump has the SHA-256 ${await sha256Hex(bytes)} instead of ${parts[2]!.sha256}`),
  );
  assert.deepEqual(verified, ["00000.dump", "00001.dump"]);
});

Deno.test("[verifyParts] finds a part that ends early while it is read, and one that goes away", async () => {
  const { bucket, parts, options } = await stored();
  const cut: Bucket = {
    ...bucket,
    read: (name, consume) =>
      bucket.read(name, (pieces) =>
        consume((async function* () {
          for await (const piece of pieces) return yield piece;
        })())),
  };
  await assert.rejects(
    () => verifyParts(cut, FOLDER, parts, options),
    failed("00000.dump came with 1000 bytes instead of 5000"),
  );
  const going: Bucket = { ...bucket, read: (_name, consume) => bucket.read("none/none", consume) };
  await assert.rejects(() => verifyParts(going, FOLDER, parts, options), failed("00000.dump was removed"));
});

Deno.test("[verifyParts] goes on where an earlier invocation ended, at least one part at a time", async () => {
  const { bucket, parts, verified, options } = await stored();
  const read: string[] = [];
  const watched: Bucket = {
    ...bucket,
    read: (name, consume) => (read.push(name), bucket.read(name, consume)),
  };
  const answers = [];
  for (let invocation = 0; invocation < 3; invocation++) {
    const alreadyVerified = new Set(verified);
    answers.push(
      await verifyParts(watched, FOLDER, parts, { ...options, alreadyVerified, withinBudget: () => false }),
    );
  }
  assert.deepEqual(answers, [false, false, true]);
  assert.deepEqual(read, parts.map(({ name }) => `${FOLDER}/${name}`), "each part was read once");
});

Deno.test("[verifyParts] ends with the error of whoever is told of a part", async () => {
  const { bucket, parts, options } = await stored();
  const onVerified = () => Promise.reject(new Error("lease lost"));
  await assert.rejects(
    () => verifyParts(bucket, FOLDER, parts, { ...options, onVerified }),
    new Error("lease lost"),
  );
});
