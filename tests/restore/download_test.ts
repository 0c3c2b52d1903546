/** Downloads: whole, checked, and resumed where they were cut off. */
import assert from "node:assert/strict";
import { downloadBackup } from "../../cli/source/download.ts";
import { folderBucket } from "../../cli/source/folder_bucket.ts";
import { writeManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { BucketError } from "../../supabase/functions/backup/storage/bucket.ts";
import { type MemoryBucket, memoryBucket } from "../doubles/memory_bucket.ts";

const NAME = "backup-20261122-030000";
const SIZES = [5000, 12_345, 1, 30_000, 0, 777];

interface Stored {
  bucket: MemoryBucket;
  /** Names of parts, as often as they were read. */
  reads: string[];
  whole: Uint8Array;
}

async function stored(): Promise<Stored> {
  const bucket = memoryBucket();
  const reads: string[] = [];
  const { read } = bucket;
  bucket.read = (name, consume) => {
    if (name.endsWith(".dump")) reads.push(name.slice(-10));
    return read(name, consume);
  };
  const contents = SIZES.map((size) => crypto.getRandomValues(new Uint8Array(size)));
  const parts = await Promise.all(contents.map(async (bytes, index) => ({
    name: `000${index}0.dump`,
    bytes: bytes.length,
    sha256: await sha256Hex(bytes),
  })));
  for (const [index, bytes] of contents.entries()) {
    await bucket.put(`${NAME}/${parts[index]!.name}`, bytes, "");
  }
  const storedBytes = SIZES.reduce((sum, size) => sum + size, 0);
  await bucket.put(
    `${NAME}/manifest.json`,
    writeManifest({
      formatVersion: 1,
      name: NAME,
      createdAt: "2026-11-22T03:00:09Z",
      snapshotAt: "2026-11-22T03:00:00Z",
      run: { id: 1, trigger: "manual", attempt: 1 },
      server: { version: "15.20", database: "theatre" },
      archive: { format: "PGDMP 1.14", level: 4, entries: 1 },
      totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes, parts: parts.length },
      tables: [],
      parts,
      warnings: [],
    }),
    "",
  );
  return { bucket, reads, whole: new Uint8Array(contents.flatMap((bytes) => [...bytes])) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

for (const parallel of [1, 4, 16]) {
  Deno.test(`downloadBackup() joins the parts in name order, ${parallel} at a time, for its owner only`, async () => {
    const { bucket, whole } = await stored();
    await inFolder(async (folder) => {
      const told: number[] = [];
      const onProgress = (done: number, expected: number) => {
        told.push(done);
        assert.equal(expected, whole.length);
      };
      const manifest = await downloadBackup(bucket, NAME, `${folder}/a.dump`, { parallel, onProgress });
      assert.equal(manifest.parts.length, SIZES.length);
      assert.deepEqual(await Deno.readFile(`${folder}/a.dump`), whole);
      assert.deepEqual(await names(folder), ["a.dump"]);
      assert.equal((await Deno.stat(`${folder}/a.dump`)).mode! & 0o777, 0o600);
      assert.equal(told.at(-1), whole.length);
      assert.deepEqual(told, [...told].sort((a, b) => a - b));
    });
  });
}

Deno.test("downloadBackup() goes on where it was cut off, and fetches again what is not right", async () => {
  const { bucket, reads, whole } = await stored();
  await inFolder(async (folder) => {
    const path = `${folder}/a.dump`;
    const { read } = bucket;
    bucket.read = (name, consume) =>
      name.endsWith("00030.dump")
        ? Promise.reject(new BucketError("temporary", "cut off", ""))
        : read(name, consume);
    await assert.rejects(downloadBackup(bucket, NAME, path, { parallel: 1 }), /cut off/);
    assert.deepEqual(await names(folder), ["a.dump.partial"], "no file of the asked name before it is whole");
    bucket.read = read;
    reads.length = 0;
    // Half of a part that is there already, spoilt.
    using file = await Deno.open(`${path}.partial`, { write: true });
    await file.seek(5100, Deno.SeekMode.Start);
    await file.write(new Uint8Array(100));
    await downloadBackup(bucket, NAME, path, { parallel: 1 });
    assert.deepEqual(reads.sort(), ["00010.dump", "00030.dump", "00050.dump"]);
    assert.deepEqual(await Deno.readFile(path), whole);
  });
});

Deno.test("downloadBackup() refuses a part that is not what the manifest says, and leaves no whole file", async () => {
  const longer = (bytes: Uint8Array) => new Uint8Array([...bytes, 1]);
  const flipped = (bytes: Uint8Array) => bytes.map((byte, index) => index === 99 ? byte ^ 1 : byte);
  for (const harm of [longer, flipped, (bytes: Uint8Array) => bytes.slice(1)]) {
    const given = await stored();
    const { bucket } = given;
    const part = bucket.objects.get(`${NAME}/00010.dump`)!;
    part.bytes = harm(part.bytes);
    await inFolder(async (folder) => {
      await assert.rejects(
        downloadBackup(bucket, NAME, `${folder}/a.dump`),
        /00010\.dump differs from the manifest/,
      );
      assert.deepEqual(await names(folder), ["a.dump.partial"]);
      // A part that came too long has not reached into the next one.
      const behind = SIZES[0]! + SIZES[1]!;
      const { whole } = given;
      assert.deepEqual((await Deno.readFile(`${folder}/a.dump.partial`)).slice(behind), whole.slice(behind));
    });
  }
});

Deno.test("downloadBackup() refuses another backup's manifest", async () => {
  const { bucket } = await stored();
  for (const [name, object] of [...bucket.objects]) {
    bucket.objects.set(name.replace(NAME, "backup-20261129-030000"), object);
  }
  await inFolder(async (folder) => {
    await assert.rejects(
      downloadBackup(bucket, "backup-20261129-030000", `${folder}/a.dump`),
      new RegExp(`belongs to ${NAME}`),
    );
  });
});

Deno.test("folderBucket() reads a downloaded folder as the bucket was", async () => {
  const { bucket, whole } = await stored();
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/any name`);
    for (const [name, { bytes }] of bucket.objects) {
      await Deno.writeFile(`${folder}/any name/${name.slice(NAME.length + 1)}`, bytes);
    }
    const found = folderBucket(`${folder}/any name`);
    assert.deepEqual(await found.list(NAME), await bucket.list(NAME));
    await downloadBackup(found, NAME, `${folder}/a.dump`);
    assert.deepEqual(await Deno.readFile(`${folder}/a.dump`), whole);
    await Deno.remove(`${folder}/any name/00030.dump`);
    await assert.rejects(downloadBackup(found, NAME, `${folder}/b.dump`), { failure: "missing" });
    await assert.rejects(found.put("x", new Uint8Array(), ""), { failure: "refused" });
  });
});
