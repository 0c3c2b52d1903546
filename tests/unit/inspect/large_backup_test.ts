/** A backup of five gigabytes, of which only the bytes that are asked for exist: how few of them a look needs. */
import assert from "node:assert/strict";
import { adler32 } from "../../../supabase/functions/backup/archive/adler.ts";
import { closeBlock, COPY_END, openBlock } from "../../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";
import { openStored } from "../../../supabase/functions/backup/inspect/stored_archive.ts";
import { rowsOf } from "../../../supabase/functions/backup/inspect/table_rows.ts";
import { tablesOf } from "../../../supabase/functions/backup/inspect/tables.ts";
import type { Manifest } from "../../../supabase/functions/backup/manifest/manifest.ts";
import { PARTS_PER_SLICE } from "../../../supabase/functions/backup/slices/plan.ts";
import { type Bucket, joined } from "../../../supabase/functions/backup/storage/bucket.ts";
import { sha256Hex } from "../../../supabase/functions/backup/storage/sha256.ts";

const SLICES = 160;
const CHUNKS = 32;

/** One chunk of a mebibyte of rows, which every part of the large table repeats. */
async function chunkOf(rows: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const deflater = new SegmentDeflater(1);
  await deflater.push(new TextEncoder().encode(rows), (bytes) => void chunks.push(bytes));
  await deflater.finish((bytes) => void chunks.push(bytes));
  return await joined((async function* () {
    for (const bytes of chunks) yield await Promise.resolve(bytes);
  })());
}

function entry(desc: string, tag: string, more: Partial<Entry>): Entry {
  return {
    dumpId: 1,
    tableoid: 0,
    oid: 0,
    tag,
    desc,
    section: "data",
    definition: null,
    drop: null,
    copy: null,
    namespace: "public",
    tablespace: null,
    tableam: null,
    owner: "o",
    dependencies: [],
    hasData: true,
    ...more,
  };
}

Deno.test("[inspect] a look into five gigabytes fetches some megabytes", async () => {
  const line = (id: number) => `${id}\t${crypto.randomUUID()}${crypto.randomUUID()}\n`;
  let rows = "";
  for (let id = 1; rows.length < 1024 * 1024 - 100; id++) rows += line(id);
  const large = await chunkOf(rows);
  const small = async (dumpId: number, text: string) => {
    const bytes = new TextEncoder().encode(text);
    const chunk = await chunkOf(text + new TextDecoder().decode(COPY_END));
    const whole = new Uint8Array([...bytes, ...COPY_END]);
    return [openBlock(dumpId), chunk, closeBlock(adler32(whole))];
  };
  const entries = [["first", 10], ["large", 11], ["last", 12]].map(([tag, dumpId]) =>
    entry("TABLE DATA", tag as string, {
      dumpId: dumpId as number,
      copy: `COPY public.${tag} (id, text) FROM stdin;\n`,
    })
  );
  const head = writeHead(
    { database: "d", serverVersion: "15.8", serverVersionNum: 150008, entries },
    { createdAt: new Date(), level: 1 },
  );
  // Pieces of each part, by its number.
  const parts = new Map<number, Uint8Array[]>([[0, [head]], [1, await small(10, "1\ta\n")]]);
  const repeated = Array.from({ length: CHUNKS }, () => large);
  for (let slice = 1; slice <= SLICES; slice++) {
    const number = 1 + slice * PARTS_PER_SLICE;
    parts.set(number, slice === 1 ? [openBlock(11), ...repeated] : repeated);
    if (slice === SLICES) parts.set(number + PARTS_PER_SLICE - 1, [closeBlock(0)]);
  }
  parts.set(1 + (SLICES + 1) * PARTS_PER_SLICE, await small(12, "7\tz\n"));

  const sizeOf = (pieces: Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);
  const listed = await Promise.all([...parts].map(async ([number, pieces]) => ({
    name: `${String(number).padStart(5, "0")}.dump`,
    bytes: sizeOf(pieces),
    sha256: pieces.length > 3 ? "" : await sha256Hex(new Uint8Array(await new Blob(pieces).arrayBuffer())),
  })));
  let fetched = 0;
  const bucket = {
    get: (path: string) => bucket.read(path, joined),
    read: <T>(path: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>) =>
      consume((async function* () {
        for (const piece of parts.get(Number(path.slice(2, 7)))!) {
          for (let at = 0; at < piece.length; at += 16 * 1024) {
            const bytes = piece.subarray(at, at + 16 * 1024);
            fetched += bytes.length;
            yield await Promise.resolve(bytes);
          }
        }
      })()),
  } as Bucket;
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(SLICES * CHUNKS * rows.length > 5e9 && total > 2e9, `${total} bytes are stored`);

  const manifest = { name: "b", parts: listed, tables: [] } as unknown as Manifest;
  const archive = await openStored(bucket, manifest, null);
  const [first, middle, last] = tablesOf(archive.entries);
  assert.deepEqual(await Array.fromAsync(rowsOf(archive, last!)), [["7", "z"]]);
  assert.ok(fetched < (SLICES + 5) * 100_000, `${fetched} bytes for the last table`);
  fetched = 0;
  assert.deepEqual(await Array.fromAsync(rowsOf(archive, first!)), [["1", "a"]]);
  let seen = 0;
  for await (const row of rowsOf(archive, middle!)) {
    assert.deepEqual(row[0], String(++seen));
    if (seen === 50) break;
  }
  assert.equal(seen, 50);
  assert.ok(fetched < 10e6, `${fetched} bytes for the first page of the large table`);

  // As most manifests say where tables begin, nothing is searched.
  const before = listed.filter(({ name }) => Number(name.slice(0, 5)) < 1 + PARTS_PER_SLICE);
  const begin = before.reduce((sum, { bytes }) => sum + bytes, 0);
  const tables = [{ schema: "public", name: "large", rows: 0, rawBytes: 0, begin }];
  fetched = 0;
  const told = await openStored(bucket, { ...manifest, tables } as unknown as Manifest, null);
  const rowsOfLarge = rowsOf(told, middle!);
  assert.deepEqual((await rowsOfLarge.next()).value?.[0], "1");
  assert.ok(fetched < 5e6, `${fetched} bytes`);
});
