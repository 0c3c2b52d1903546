import assert from "node:assert/strict";
import { Budget } from "../../../supabase/functions/backup/budget.ts";
import { sha256Hex } from "../../../supabase/functions/backup/storage/sha256.ts";
import type { Heartbeat } from "../../../supabase/functions/backup/worker/heartbeat.ts";
import { PartStore } from "../../../supabase/functions/backup/worker/part_store.ts";
import { memoryBucket } from "../../doubles/memory_bucket.ts";

const bytes = new TextEncoder().encode("rows of a table");

function storeIn(bucket = memoryBucket(), check = () => {}) {
  const heartbeat = { check, checkPlace: () => Promise.resolve(check()) } as Heartbeat;
  const budget = new Budget(1_000_000);
  return {
    bucket,
    store: new PartStore({ bucket, folder: "backup-1", encryption: null, heartbeat, budget }),
  };
}

Deno.test("[PartStore] stores parts and files in its folder, and says what it has stored", async () => {
  const { bucket, store } = storeIn();
  const sha256 = await sha256Hex(bytes);
  assert.deepEqual(await store.storePart(7, bytes), { name: "00007.dump", bytes: 15, sha256 });
  assert.deepEqual(await store.storeFile("files.gz", bytes), { name: "files.gz", bytes: 15, sha256 });
  await store.storeText("RESTORE.md", "# How to");
  assert.equal(await store.storeManifest(bytes), sha256);
  assert.deepEqual([...bucket.objects].map(([name, { contentType }]) => [name, contentType]), [
    ["backup-1/00007.dump", "application/octet-stream"],
    ["backup-1/files.gz", "application/octet-stream"],
    ["backup-1/RESTORE.md", "text/markdown"],
    ["backup-1/manifest.json", "application/json"],
  ]);
  assert.deepEqual(await store.get("00007.dump"), bytes);
});

Deno.test("[PartStore] refuses a manifest that Storage has changed", async () => {
  const { bucket, store } = storeIn({
    ...memoryBucket(),
    get: () => Promise.resolve(new Uint8Array([1])),
  });
  await assert.rejects(store.storeManifest(bytes), {
    code: "verification_failed",
    message: /"backup-1\/manifest\.json"/,
  });
  assert.equal(bucket.objects.size, 1);
});

Deno.test("[PartStore] stores nothing for a worker that has lost its place", async () => {
  const { bucket, store } = storeIn(memoryBucket(), () => {
    throw new Error("lost");
  });
  for (
    const act of [
      () => store.storePart(1, bytes),
      () => store.storeFile("files.gz", bytes),
      () => store.storeText("RESTORE.md", ""),
      () => store.storeManifest(bytes),
    ]
  ) await assert.rejects(act, /lost/);
  assert.equal(bucket.objects.size, 0);
});

Deno.test("[PartStore] refuses a public bucket", async () => {
  await storeIn().store.refusePublicBucket("backups");
  const { store } = storeIn({ ...memoryBucket(), isPublic: () => Promise.resolve(true) });
  await assert.rejects(store.refusePublicBucket("backups"), { code: "bucket_public", message: /"backups"/ });
});
