/** A key in all backups of a place, while the table changes. */
import assert from "node:assert/strict";
import { findKey } from "../../../cli/inspect/find_key.ts";
import { UsageError } from "../../../cli/terminal/errors.ts";
import { memoryBucket } from "../../doubles/memory_bucket.ts";
import { fakeBackup, type FakeTable } from "../../page/fake_backup.ts";

/** A bucket with a backup a day, each with the table `public.t` as it was then. */
async function backupsWith(tables: Pick<FakeTable, "columns" | "rows" | "keyless">[]) {
  const bucket = memoryBucket();
  for (const [index, table] of tables.entries()) {
    const name = `backup-2026010${index + 1}-000000`;
    const objects = await fakeBackup({
      name,
      at: new Date(`2026-01-0${index + 1}T00:00:00Z`),
      runId: index + 1,
      tables: [{ schema: "public", name: "t", ...table }],
      functions: [],
    });
    for (const [object, bytes] of objects) {
      await bucket.put(`${name}/${object}`, bytes, "application/octet-stream");
    }
  }
  return { kind: "s3" as const, bucket };
}

const rows = [["1", "one"], ["2", "two"]];

Deno.test("[findKey] follows a row through a new name of a column and another key", async () => {
  const origin = await backupsWith([
    { columns: ["id", "name"], rows },
    { columns: ["number", "title"], rows },
    { columns: ["number", "title"], rows: [["1", "one"], ["2", "second"]] },
  ]);
  const found = await Array.fromAsync(findKey(origin, "public.t", ["2"]));
  assert.deepEqual(found.map(({ columns, row, changed }) => [columns, row, changed]), [
    [["id", "name"], ["2", "two"], null],
    [["number", "title"], ["2", "two"], false],
    [["number", "title"], ["2", "second"], true],
  ]);
});

Deno.test("[findKey] a backup whose table has no such key keeps no other from being read", async () => {
  const origin = await backupsWith([{ columns: ["id", "name"], rows, keyless: true }, {
    columns: ["id", "name"],
    rows,
  }]);
  const found = await Array.fromAsync(findKey(origin, "public.t", ["1"]));
  assert.deepEqual(found.map(({ state }) => state), ["unreadable", "present"]);
  assert.match(found[0]!.detail, /no primary key/);
  await assert.rejects(Array.fromAsync(findKey(origin, "public.t", ["1", "2"])), UsageError);
});
