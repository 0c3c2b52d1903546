/** Each kind of damage to a stored backup is named exactly, and the undamaged one has none. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { adler32, adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import {
  closeBlock,
  closeLargeObjects,
  COPY_END,
  openBlock,
  openLargeObject,
  openLargeObjects,
} from "../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import { type Manifest, writeManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { BucketError } from "../../supabase/functions/backup/storage/bucket.ts";
import { memoryBucket } from "../doubles/memory_bucket.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { FaultCode } from "../../cli/verify/faults.ts";
import { verifyBackup } from "../../cli/verify/verify_backup.ts";

const NAME = "backup-20261122-030000";

interface Table {
  dumpId: number;
  name: string;
  rows: string[];
}

const TABLES: Table[] = [
  { dumpId: 11, name: "spectacles", rows: ["1\tHamlet", "2\tMedea"] },
  { dumpId: 12, name: "medias", rows: ["1\t\\N"] },
  { dumpId: 13, name: "empty", rows: [] },
];

function entryOf({ dumpId, name }: Pick<Table, "dumpId" | "name">): Entry {
  return {
    dumpId,
    tableoid: 0,
    oid: 20000 + dumpId,
    tag: name,
    desc: "TABLE DATA",
    section: "data",
    definition: null,
    drop: null,
    copy: `COPY public.${name} (a, b) FROM stdin;\n`,
    namespace: "public",
    tablespace: null,
    tableam: null,
    owner: "postgres",
    dependencies: [1],
    hasData: true,
  };
}

function textOf(rows: string[]): Uint8Array {
  return new TextEncoder().encode(rows.map((row) => `${row}\n`).join(""));
}

async function block({ dumpId, rows }: Table, ending = COPY_END): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [openBlock(dumpId)];
  const keep = (chunk: Uint8Array) => void pieces.push(chunk.slice());
  const deflater = new SegmentDeflater(4);
  await deflater.push(textOf(rows), keep);
  await deflater.push(ending, keep);
  const { adler32 } = await deflater.finish(keep);
  return joined([...pieces, closeBlock(adler32)]);
}

function head(entries: Entry[]): Uint8Array {
  const dump = {
    database: "theatre",
    serverVersion: "15.20",
    serverVersionNum: 150020,
    entries,
    data: [],
    warnings: [],
  };
  return writeHead(dump, { createdAt: new Date("2026-11-22T03:00:00Z"), level: 4 });
}

function joined(pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces) as unknown as Uint8Array);
}

/** A backup of these parts, with a manifest that knows them. */
async function stored(parts: Uint8Array[], change: (manifest: Manifest) => void = () => {}) {
  const bucket = memoryBucket();
  const manifest: Manifest = {
    formatVersion: 1,
    name: NAME,
    createdAt: "2026-11-22T03:00:09Z",
    snapshotAt: "2026-11-22T03:00:00Z",
    run: { id: 1, trigger: "scheduled", attempt: 1 },
    server: { version: "15.20", database: "theatre" },
    archive: { format: "PGDMP 1.14", level: 4, entries: TABLES.length },
    totals: { tables: TABLES.length, rows: 3, rawBytes: 0, storedBytes: 0, parts: parts.length },
    tables: TABLES.map(({ name, rows }) => ({
      schema: "public",
      name,
      rows: rows.length,
      rawBytes: rows.reduce((sum, row) => sum + row.length + 1, COPY_END.length),
      adler32: adlerText(adler32(joined([textOf(rows), COPY_END]))),
    })),
    parts: await Promise.all(parts.map(async (bytes, index) => ({
      name: `0000${index}.dump`,
      bytes: bytes.length,
      sha256: await sha256Hex(bytes),
    }))),
    warnings: [],
  };
  change(manifest);
  manifest.totals.rawBytes = manifest.tables.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  manifest.totals.rows = manifest.tables.reduce((sum, { rows }) => sum + rows, 0);
  manifest.totals.tables = manifest.tables.length;
  manifest.totals.storedBytes = manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [index, bytes] of parts.entries()) await bucket.put(`${NAME}/0000${index}.dump`, bytes, "");
  await bucket.put(`${NAME}/manifest.json`, writeManifest(manifest), "");
  return bucket;
}

const blocks = await Promise.all(TABLES.map((table) => block(table)));
const good = [head(TABLES.map(entryOf)), ...blocks];

Deno.test("a backup without a fault has none, and its rows are counted", async () => {
  const bucket = await stored(good);
  for (const beside of ["RESTORE.md", "restore.list"]) {
    await bucket.put(`${NAME}/${beside}`, new Uint8Array(3), "");
  }
  const { faults, unchecked, parts, rows } = await verifyBackup(bucket, NAME);
  assert.deepEqual({ faults, unchecked, parts, rows }, { faults: [], unchecked: [], parts: 4, rows: 3 });
});

type Bucket = Awaited<ReturnType<typeof stored>>;

/** What happens to the stored objects, and what is said of it. */
interface Damage {
  what: string;
  code: FaultCode;
  message: RegExp;
  harm: (bucket: Bucket) => void | Promise<void>;
}

function text(bucket: Bucket, name: string): string {
  return new TextDecoder().decode(bucket.objects.get(`${NAME}/${name}`)!.bytes);
}

function replace(bucket: Bucket, name: string, bytes: Uint8Array | string): void {
  const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  bucket.objects.set(`${NAME}/${name}`, { bytes: content, contentType: "" });
}

function bytesOf(bucket: Bucket, name: string): Uint8Array {
  return bucket.objects.get(`${NAME}/${name}`)!.bytes;
}

const DAMAGES: Damage[] = [
  {
    what: "the manifest is gone",
    code: "manifest_missing",
    message: /has no manifest\.json: it is a leftover/,
    harm: (bucket) => void bucket.objects.delete(`${NAME}/manifest.json`),
  },
  {
    what: "everything is gone",
    code: "manifest_missing",
    message: /there is no such backup/,
    harm: (bucket) => bucket.objects.clear(),
  },
  {
    what: "the manifest is cut off",
    code: "manifest_invalid",
    message: /it is not valid JSON/,
    harm: (bucket) => replace(bucket, "manifest.json", bytesOf(bucket, "manifest.json").slice(0, 200)),
  },
  {
    what: "the manifest lacks a member",
    code: "manifest_invalid",
    message: /server\.version is missing/,
    harm: (bucket) =>
      replace(bucket, "manifest.json", text(bucket, "manifest.json").replace('"version": "15.20",', "")),
  },
  {
    what: "the manifest is of a newer release",
    code: "manifest_invalid",
    message: /format version 2/,
    harm: (bucket) =>
      replace(
        bucket,
        "manifest.json",
        text(bucket, "manifest.json").replace('"formatVersion": 1', '"formatVersion": 2'),
      ),
  },
  {
    what: "a part's line was taken out of the manifest",
    code: "manifest_invalid",
    message: /totals\.parts is 4, but the list has 3/,
    harm: (bucket) => {
      const manifest = JSON.parse(text(bucket, "manifest.json"));
      manifest.parts.pop();
      replace(bucket, "manifest.json", JSON.stringify(manifest));
    },
  },
  {
    what: "the manifest is another backup's",
    code: "manifest_of_another",
    message: /belongs to backup-20261115-030000/,
    harm: (bucket) =>
      replace(bucket, "manifest.json", text(bucket, "manifest.json").replace(NAME, "backup-20261115-030000")),
  },
  {
    what: "a part is missing",
    code: "part_missing",
    message: /00001\.dump is missing/,
    harm: (bucket) => void bucket.objects.delete(`${NAME}/00001.dump`),
  },
  {
    what: "a part is listed but gone",
    code: "part_missing",
    message: /00001\.dump is listed, but its content is missing/,
    harm: (bucket) => {
      const { get } = bucket;
      bucket.get = (name) =>
        name.endsWith("00001.dump") ? Promise.reject(new BucketError("missing", "gone", "")) : get(name);
    },
  },
  {
    what: "a part cannot be read",
    code: "part_unreadable",
    message: /00001\.dump cannot be read: Storage answered 500/,
    harm: (bucket) => {
      const { get } = bucket;
      bucket.get = (name) =>
        name.endsWith("00001.dump")
          ? Promise.reject(new BucketError("temporary", "Storage answered 500", ""))
          : get(name);
    },
  },
  {
    what: "a part is empty",
    code: "part_empty",
    message: /00001\.dump is empty: 0 bytes instead of \d+/,
    harm: (bucket) => replace(bucket, "00001.dump", ""),
  },
  {
    what: "a part is cut off",
    code: "part_truncated",
    message: /00001\.dump is cut off: 20 bytes instead of \d+/,
    harm: (bucket) => replace(bucket, "00001.dump", bytesOf(bucket, "00001.dump").slice(0, 20)),
  },
  {
    what: "bytes follow a part",
    code: "part_too_long",
    message: /00001\.dump has bytes after its end/,
    harm: (bucket) =>
      replace(bucket, "00001.dump", joined([bytesOf(bucket, "00001.dump"), new Uint8Array([1])])),
  },
  {
    what: "a part is a longer file",
    code: "part_too_long",
    message: /00001\.dump is another file/,
    harm: (bucket) =>
      replace(bucket, "00001.dump", crypto.getRandomValues(new Uint8Array(500)).fill(200, 0, 9)),
  },
  {
    what: "two parts have changed places",
    code: "part_swapped",
    message: /00001\.dump has the content of 00002\.dump/,
    harm: (bucket) => {
      const first = bytesOf(bucket, "00001.dump");
      replace(bucket, "00001.dump", bytesOf(bucket, "00002.dump"));
      replace(bucket, "00002.dump", first);
    },
  },
  {
    what: "a part is zeros",
    code: "part_zeroed",
    message: /00001\.dump contains only zeros/,
    harm: (bucket) => replace(bucket, "00001.dump", new Uint8Array(bytesOf(bucket, "00001.dump").length)),
  },
  {
    what: "a part is an error's text",
    code: "part_replaced",
    message: /00001\.dump contains text/,
    harm: (bucket) => replace(bucket, "00001.dump", '{"statusCode":"404","error":"not_found"}'),
  },
  {
    what: "one bit of a part has flipped",
    code: "part_damaged",
    message: /00001\.dump has the right size but different content/,
    harm: (bucket) => {
      const bytes = bytesOf(bucket, "00001.dump").slice();
      bytes[15]! ^= 4;
      replace(bucket, "00001.dump", bytes);
    },
  },
  {
    what: "a checksum in the manifest was changed",
    code: "part_damaged",
    message: /00003\.dump has the right size but different content/,
    harm: (bucket) =>
      replace(
        bucket,
        "manifest.json",
        text(bucket, "manifest.json").replace(/[0-9a-f]{64}(?![\s\S]*[0-9a-f]{64})/, "0".repeat(64)),
      ),
  },
  {
    what: "a file is there that nobody knows",
    code: "foreign_file",
    message: /notes\.txt is not part of the backup/,
    harm: (bucket) => replace(bucket, "notes.txt", "mine"),
  },
];

for (const { what, code, message, harm } of DAMAGES) {
  Deno.test(`verification names it when ${what}`, async () => {
    const bucket = await stored(good);
    await harm(bucket);
    const { faults } = await verifyBackup(bucket, NAME);
    assert.ok(
      faults.some((fault) => fault.code === code && message.test(fault.message)),
      JSON.stringify(faults),
    );
    assert.ok(faults.every((fault) => fault.code === code), `only that: ${JSON.stringify(faults)}`);
  });
}

const LARGE_OBJECTS = { dumpId: 14, oids: [4001, 4002], text: new TextEncoder().encode("a picture") };
const withLargeObjects = [
  head([...TABLES.map(entryOf), {
    ...entryOf({ dumpId: 14, name: "BLOBS" }),
    desc: "BLOBS",
    namespace: null,
  }]),
  ...blocks,
  await largeObjects(),
];

async function largeObjects(): Promise<Uint8Array> {
  const { dumpId, oids, text } = LARGE_OBJECTS;
  const pieces = [openLargeObjects(dumpId)];
  const keep = (chunk: Uint8Array) => void pieces.push(chunk.slice());
  const deflater = new SegmentDeflater(4);
  for (const oid of oids) {
    pieces.push(openLargeObject(oid));
    await deflater.push(text, keep);
    const { adler32 } = await deflater.finish(keep);
    pieces.push(closeBlock(adler32));
  }
  return joined([...pieces, closeLargeObjects()]);
}

function knowLargeObjects(manifest: Manifest): void {
  const { oids, text } = LARGE_OBJECTS;
  manifest.archive.entries++;
  manifest.tables.push({
    schema: "pg_catalog",
    name: "pg_largeobject_metadata",
    rows: oids.length,
    rawBytes: oids.length * text.length,
  });
}

Deno.test("a backup with large objects has no fault", async () => {
  const bucket = await stored(withLargeObjects, knowLargeObjects);
  const { faults, rows } = await verifyBackup(bucket, NAME);
  assert.deepEqual({ faults, rows }, { faults: [], rows: 5 });
});

/** Archives that are wrong in themselves, with a manifest that knows their very bytes. */
const WRONG: {
  what: string;
  code: FaultCode;
  message: RegExp;
  parts: () => Promise<Uint8Array[]> | Uint8Array[];
  change?: (manifest: Manifest) => void;
}[] = [
  {
    what: "it is not an archive",
    code: "archive_not_one",
    message: /does not begin with PGDMP/,
    parts: () => [new TextEncoder().encode("-- PostgreSQL dump as SQL"), ...blocks],
  },
  {
    what: "it has a version that is not ours",
    code: "archive_not_one",
    message: /1\.17 is not 1\.14 to 1\.16/,
    parts: () => {
      const other = good[0]!.slice();
      other[6] = 17;
      return [other, ...blocks];
    },
  },
  {
    what: "its table of contents is cut off",
    code: "archive_head_damaged",
    message: /ends at byte/,
    parts: () => [good[0]!.slice(0, -30)],
  },
  {
    what: "it has fewer entries than the manifest says",
    code: "archive_entries",
    message: /has 3 entries, but the manifest says 4/,
    parts: () => good,
    change: (manifest) => void (manifest.archive.entries = 4),
  },
  {
    what: "two entries share a dump id",
    code: "archive_id_twice",
    message: /Two entries have the dump id 11/,
    parts: () => [
      head([entryOf(TABLES[0]!), entryOf({ dumpId: 11, name: "medias" }), entryOf(TABLES[2]!)]),
      ...blocks,
    ],
  },
  {
    what: "a table's rows are missing",
    code: "block_missing",
    message: /TABLE DATA public\.medias has no data block/,
    parts: () => [good[0]!, blocks[0]!, blocks[2]!],
  },
  {
    what: "a table's rows are there twice",
    code: "block_twice",
    message: /TABLE DATA public\.spectacles has two data blocks/,
    parts: () => [...good, blocks[0]!],
  },
  {
    what: "rows belong to no entry",
    code: "block_unknown",
    message: /belongs to no entry: dump id 99/,
    parts: async () => [...good, await block({ dumpId: 99, name: "lost", rows: ["1"] })],
  },
  {
    what: "compressed rows are damaged",
    code: "block_damaged",
    message: /entry 11 is damaged: .*public\.spectacles/,
    parts: () => {
      const bytes = blocks[0]!.slice();
      // The last byte of the checksum of the zlib stream.
      bytes[bytes.length - 6]! ^= 1;
      return [good[0]!, bytes, blocks[1]!, blocks[2]!];
    },
  },
  {
    what: "rows have no end mark",
    code: "rows_without_end",
    message: /rows of TABLE DATA public\.spectacles have no end mark/,
    parts: async () => [good[0]!, await block(TABLES[0]!, new Uint8Array()), blocks[1]!, blocks[2]!],
  },
  {
    what: "a row is missing",
    code: "rows_differ",
    message: /public\.spectacles has 1 rows, but the manifest says 2/,
    parts:
      async () => [good[0]!, await block({ ...TABLES[0]!, rows: ["1\tHamlet"] }), blocks[1]!, blocks[2]!],
  },
  {
    what: "a row has another text",
    code: "bytes_differ",
    message: /public\.spectacles has \d+ bytes of rows/,
    parts: async () => [
      good[0]!,
      await block({ ...TABLES[0]!, rows: ["1\tHamlet", "2\tMed"] }),
      blocks[1]!,
      blocks[2]!,
    ],
  },
  {
    what: "a row has another text of the same length",
    code: "content_differs",
    message: /public\.spectacles has as many rows .* different content/,
    parts: async () => [
      good[0]!,
      await block({ ...TABLES[0]!, rows: ["1\tHamlet", "2\tMacbe"] }),
      blocks[1]!,
      blocks[2]!,
    ],
  },
  {
    what: "a large object is missing",
    code: "rows_differ",
    message: /pg_largeobject_metadata has 2 rows, but the manifest says 3/,
    parts: () => withLargeObjects,
    change: (manifest) => {
      knowLargeObjects(manifest);
      manifest.tables.at(-1)!.rows = 3;
    },
  },
  {
    what: "the manifest has a table too many",
    code: "table_not_in_archive",
    message: /lists the table public\.more/,
    parts: () => good,
    change: ({ tables }) => void tables.push({ schema: "public", name: "more", rows: 0, rawBytes: 5 }),
  },
  {
    what: "the manifest lacks a table",
    code: "table_not_in_manifest",
    message: /rows of public\.empty, which the manifest does not list/,
    parts: () => good,
    change: ({ tables }) => void tables.pop(),
  },
  {
    what: "it ends in the middle of a table",
    code: "archive_cut_off",
    message: /ends at byte \d+, .*public\.empty/,
    parts: () => [...good.slice(0, 3), blocks[2]!.slice(0, -8)],
  },
];

for (const { what, code, message, parts, change } of WRONG) {
  Deno.test(`verification names an archive whose parts are as written when ${what}`, async () => {
    const bucket = await stored(await parts(), change);
    const { faults } = await verifyBackup(bucket, NAME);
    assert.ok(
      faults.some((fault) => fault.code === code && message.test(fault.message)),
      JSON.stringify(faults),
    );
  });
}

Deno.test("verification names a manifest that the log does not know, though it fits its parts", async () => {
  const bucket = await stored(good);
  const right = await sha256Hex(bucket.objects.get(`${NAME}/manifest.json`)!.bytes);
  assert.deepEqual((await verifyBackup(bucket, NAME, { manifestSha256: right })).faults, []);
  const { faults } = await verifyBackup(bucket, NAME, { manifestSha256: "0".repeat(64) });
  assert.deepEqual(faults.map(({ code }) => code), ["manifest_changed"]);
});
