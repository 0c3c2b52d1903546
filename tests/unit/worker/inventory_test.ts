import assert from "node:assert/strict";
import postgres from "postgres";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { openSession } from "../../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../../supabase/functions/backup/postgres/snapshot.ts";
import { Budget } from "../../../supabase/functions/backup/budget.ts";
import { memoryBucket } from "../../doubles/memory_bucket.ts";
import { storeInventory } from "../../../supabase/functions/backup/worker/inventory.ts";
import type { Heartbeat } from "../../../supabase/functions/backup/worker/heartbeat.ts";
import { PartStore } from "../../../supabase/functions/backup/worker/part_store.ts";
import type { Worker } from "../../../supabase/functions/backup/worker/worker.ts";

Deno.test("[storeInventory] a backup does not fail for want of an inventory, and its snapshot lives on", async () => {
  const cluster = await startCluster();
  const exporter = await openSession(cluster.url());
  const sql = postgres(cluster.url(), { max: 1, onnotice: () => {} });
  const bucket = memoryBucket();
  const [heartbeat, budget] = [{ check: () => {} } as Heartbeat, new Budget(80_000_000)];
  const store = new PartStore({ bucket, folder: "b", encryption: null, heartbeat, budget });
  const worker = {
    exporter,
    store,
    openBucket: () => bucket,
    heartbeat,
    budget,
    place: { run: { name: "b" }, settings: { bucket: "backups" } },
  } as unknown as Worker;
  try {
    await beginSnapshot(exporter);
    assert.deepEqual(await storeInventory(worker), { inventory: null, warnings: [] }, "there is no Storage");
    await exporter.sql.unsafe("rollback");

    // An older Storage, without a column that we list.
    await sql.unsafe(`create schema storage;
      create table storage.objects (bucket_id text, name text, metadata jsonb, updated_at timestamptz)`)
      .simple();
    await beginSnapshot(exporter);
    const { inventory, warnings } = await storeInventory(worker);
    assert.equal(inventory, null);
    assert.deepEqual(warnings.map(({ code }) => code), ["inventory_failed"]);
    assert.match(warnings[0]!.message, /version/);
    const [row] = await exporter.sql.unsafe<{ rows: string }[]>(
      "select count(*) as rows from storage.objects",
    );
    assert.equal(row!.rows, "0");
    assert.equal(bucket.objects.size, 0);
  } finally {
    await Promise.all([exporter.close(), sql.end()]);
    await cluster.stop();
  }
});
