/** Archives as pg_dump 12 to 18 write them, read from front to back and where they are wanted. */
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { BLOCK_BLOBS, BLOCK_DATA } from "../../../supabase/functions/backup/archive/block.ts";
import { bytesSource } from "../../../supabase/functions/backup/archive/byte_source.ts";
import { ArchiveError, ByteWriter } from "../../../supabase/functions/backup/archive/primitives.ts";
import { bytesFrom, openSource, readArchive } from "../../../supabase/functions/backup/archive/reader.ts";

const TEXT = "1\ta\n2\tb\n\\.\n\n\n";
const LONG = Array.from({ length: 40_000 }, (_, index) => `${index}\t${index * 7919 % 10_007}\n`).join("");

interface Form {
  minor: number;
  /** As the header has it: a level up to 1.14, an algorithm from 1.15 on. */
  compression: number;
  /** Whether the table of contents says where the blocks are. */
  offsets?: boolean;
  /** Bytes of a chunk. */
  chunk?: number;
  /** Behind the last block. */
  tail?: Uint8Array;
}

const BLOCKS: { id: number; type: number; texts: string[] }[] = [
  { id: 7, type: BLOCK_DATA, texts: [TEXT] },
  { id: 9, type: BLOCK_BLOBS, texts: ["first object", LONG] },
  { id: 8, type: BLOCK_DATA, texts: [LONG] },
];

/** Writes an archive of a version of pg_dump's (pg_backup_archiver.c, WriteHead and WriteToc of each). */
function archiveOf(form: Form): Uint8Array {
  const plain = written(form, new Map());
  return form.offsets ? written(form, plain.begins).bytes : plain.bytes;
}

function written(
  { minor, compression, chunk = 4096, tail, offsets }: Form,
  known: Map<number, number>,
): { bytes: Uint8Array; begins: Map<number, number> } {
  const writer = new ByteWriter(10_000_000);
  let length = 0;
  const raw = (bytes: Uint8Array) => {
    writer.raw(bytes);
    length += bytes.length;
  };
  const byte = (value: number) => raw(new Uint8Array([value]));
  const piece = (write: (writer: ByteWriter) => void) => {
    const one = new ByteWriter();
    write(one);
    raw(one.bytes());
  };
  raw(new TextEncoder().encode("PGDMP"));
  for (const value of [1, minor, 0, 4, 8, 1]) byte(value);
  if (minor < 15) piece((one) => one.int(compression));
  else byte(compression);
  piece((one) => {
    for (const value of [59, 0, 3, 22, 10, 126, 0]) one.int(value);
    for (const value of ["theatre", null, "17.2"]) one.string(value);
    one.int(BLOCKS.length + 1);
  });
  const entry = (id: number, desc: string, hasData: boolean, relkind: string) => {
    piece((one) => {
      one.int(id);
      one.int(hasData ? 1 : 0);
      for (const value of ["1259", "16384", `tag ${id}`, desc]) one.string(value);
      one.int(hasData ? 3 : 2);
      for (const value of [`definition ${id}`, null, "COPY x FROM stdin;\n", "public", ""]) one.string(value);
      if (minor >= 14) one.string("heap");
      if (minor >= 16) one.int(relkind.charCodeAt(0));
      for (const value of ["postgres", "false", "1", "2", null]) one.string(value);
    });
    const begin = known.get(id);
    byte(hasData ? begin === undefined ? 1 : 2 : 3);
    const place = new Uint8Array(8);
    if (begin !== undefined) new DataView(place.buffer).setUint32(0, begin, true);
    raw(place);
  };
  entry(5, "TABLE", false, "p");
  // Another order than the blocks'.
  for (const id of [8, 7]) entry(id, "TABLE DATA", true, "r");
  entry(9, "BLOBS", true, "\0");
  const begins = new Map<number, number>();
  for (const { id, type, texts } of BLOCKS) {
    begins.set(id, length);
    byte(type);
    piece((one) => one.int(id));
    for (const [index, text] of texts.entries()) {
      if (type === BLOCK_BLOBS) piece((one) => one.int(index === 0 ? 4711 : -(2 ** 32 - 3_000_000_000)));
      const bytes = new TextEncoder().encode(text);
      const stored = compression === 0 ? bytes : deflateSync(bytes) as unknown as Uint8Array;
      for (let at = 0; at < stored.length; at += chunk) {
        const here = stored.subarray(at, at + chunk);
        piece((one) => one.int(here.length));
        raw(here);
      }
      piece((one) => one.int(0));
    }
    if (type === BLOCK_BLOBS) piece((one) => one.int(0));
  }
  if (tail) raw(tail);
  assert.ok(offsets === undefined || known.size === 0 || known.size === BLOCKS.length);
  return { bytes: writer.bytes(), begins };
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of bytes) text += decoder.decode(piece, { stream: true });
  return text;
}

const FORMS: Record<string, Form> = {
  "1.12": { minor: 12, compression: -1 },
  "1.13": { minor: 13, compression: 6 },
  "1.14": { minor: 14, compression: -1 },
  "1.14, not compressed": { minor: 14, compression: 0 },
  "1.15": { minor: 15, compression: 1 },
  "1.15, not compressed": { minor: 15, compression: 0 },
  "1.16": { minor: 16, compression: 1 },
  "1.16, with offsets": { minor: 16, compression: 1, offsets: true },
  "1.14, with offsets": { minor: 14, compression: -1, offsets: true },
  "1.14, chunks of few bytes": { minor: 14, compression: -1, chunk: 61 },
  "1.14, one chunk": { minor: 14, compression: 0, chunk: 10_000_000 },
};

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`an archive of ${name} says the same from front to back and where it is wanted`, async () => {
    const bytes = archiveOf(form);
    const archive = await openSource(bytesSource(bytes));
    assert.deepEqual(
      archive.entries.map(({ dumpId, desc, tag, owner, dependencies, hasData }) => ({
        dumpId,
        desc,
        tag,
        owner,
        dependencies,
        hasData,
      })).at(-1),
      {
        dumpId: 9,
        desc: "BLOBS",
        tag: "tag 9",
        owner: "postgres",
        dependencies: [1, 2],
        hasData: true,
      },
    );
    assert.equal(archive.entries[0]!.tableam, form.minor < 14 ? null : "heap");
    assert.equal(archive.entries[0]!.partitioned, form.minor < 16 ? undefined : true);
    const [long, short] = await Promise.all([textOf(archive.rows(8)), textOf(archive.rows(7))]);
    assert.equal(short, TEXT);
    assert.ok(long === LONG);
    const objects: [number, string][] = [];
    for await (const { oid, bytes } of archive.largeObjects(9)) objects.push([oid, await textOf(bytes)]);
    assert.deepEqual(objects.map(([oid]) => oid), [4711, 3_000_000_000]);
    assert.ok(objects[0]![1] === "first object" && objects[1]![1] === LONG);

    const stream = await readArchive(bytesFrom((async function* () {
      for (let at = 0; at < bytes.length; at += 9973) {
        yield await Promise.resolve(bytes.subarray(at, at + 9973));
      }
    })()));
    assert.deepEqual(stream.entries, archive.entries);
    const seen: [number, string][] = [];
    for await (const { dumpId, rows } of stream.blocks) seen.push([dumpId, await textOf(rows)]);
    assert.ok(seen.length === 4 && seen[0]![1] === TEXT && seen[2]![1] === LONG && seen[3]![1] === LONG);
  });
}

Deno.test("what follows the last block that is wanted is not read", async () => {
  // pg_dump from 16 on, redirected by a shell, appends its table of contents once more.
  const tail = new TextEncoder().encode("PGDMP and so on");
  const archive = await openSource(bytesSource(archiveOf({ minor: 16, compression: 1, tail })));
  assert.equal(await textOf(archive.rows(7)), TEXT);
});

Deno.test("an archive that is not an archive, damaged, cut off or lying about lengths is refused", async () => {
  const whole = archiveOf({ minor: 14, compression: -1 });
  const open = (bytes: Uint8Array) => openSource(bytesSource(bytes));
  const rejected = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error: Error) => error instanceof ArchiveError && message.test(error.message));
  await rejected(open(new TextEncoder().encode("-- PostgreSQL database dump")), /begin with PGDMP/);
  for (const minor of [11, 17]) {
    await rejected(open(archiveOf({ minor, compression: 0 })), /version 1\.1[17]/);
  }
  await rejected(open(archiveOf({ minor: 16, compression: 3 })), /compressed with zstd/);
  const cut = await open(whole.subarray(0, whole.length - 30));
  await rejected(textOf(cut.rows(8)), /ends at byte/);
  const { begins } = written({ minor: 14, compression: -1 }, new Map());
  const spoilt = whole.slice();
  spoilt[begins.get(8)! + 500]! ^= 1;
  await rejected(open(spoilt).then((archive) => textOf(archive.rows(8))), /entry 8 is damaged|no data block/);
  const lying = whole.slice();
  // The length of the first chunk of entry 7: four gigabytes.
  lying.fill(255, begins.get(7)! + 7, begins.get(7)! + 11);
  await rejected(open(lying).then((archive) => textOf(archive.rows(7))), /ends at byte|negative/);
  const elsewhere = archiveOf({ minor: 14, compression: -1 });
  await rejected(open(elsewhere).then((archive) => textOf(archive.rows(4711))), /no data block/);
});

Deno.test("leaving a block in the middle leaves nothing behind", async () => {
  const archive = await openSource(bytesSource(archiveOf({ minor: 14, compression: -1 })));
  for await (const _ of archive.rows(8)) break;
  assert.equal(await textOf(archive.rows(7)), TEXT);
});
