import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { adler32, combineAdler32 } from "../../../supabase/functions/backup/archive/adler.ts";
import { closeBlock, openBlock } from "../../../supabase/functions/backup/archive/block.ts";
import { ByteReader } from "../../../supabase/functions/backup/archive/primitives.ts";
import { bytesFrom } from "../../../supabase/functions/backup/archive/reader.ts";
import { BLOCK_BYTES, SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";

/** Bytes that compress like text and differ everywhere; the same for the same seed. */
function sample(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    bytes[index] = 97 + (state >> 16) % 20;
  }
  return bytes;
}

async function deflate(deflater: SegmentDeflater, bytes: Uint8Array) {
  const chunks: Uint8Array[] = [];
  const emit = (chunk: Uint8Array) => void chunks.push(chunk);
  await deflater.push(bytes, emit);
  const segment = await deflater.finish(emit);
  return { chunks, segment };
}

function inflate(stream: Uint8Array): Uint8Array {
  return new Uint8Array(inflateSync(stream) as unknown as Uint8Array);
}

function join(pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces) as unknown as Uint8Array);
}

/** The zlib stream inside a data block: its chunks without their lengths. */
async function zlibStream(block: Uint8Array): Promise<Uint8Array> {
  const reader = new ByteReader(bytesFrom((async function* () {
    yield await Promise.resolve(block);
  })()));
  assert.equal(await reader.byte(), 1);
  assert.equal(await reader.int(), 7);
  const chunks: Uint8Array[] = [];
  for (let length = await reader.int(); length > 0; length = await reader.int()) {
    chunks.push(await reader.raw(length));
  }
  assert.equal(await reader.byteOrEnd(), null);
  return join(chunks);
}

Deno.test("segments of different writers joined in order are one zlib stream", async () => {
  const pieces = [sample(300_000, 1), sample(1, 2), sample(0, 3), sample(BLOCK_BYTES + 5, 4)];
  const parts = await Promise.all(
    pieces.map((piece, index) => deflate(new SegmentDeflater(index + 1), piece)),
  );
  const checksum = parts.reduce(
    (sum, { segment }) => combineAdler32(sum, segment.adler32, segment.rawBytes),
    1,
  );
  const block = join([openBlock(7), ...parts.flatMap(({ chunks }) => chunks), closeBlock(checksum)]);
  assert.deepEqual(inflate(await zlibStream(block)), join(pieces));
});

Deno.test("a block without rows is a complete zlib stream", async () => {
  const { chunks, segment } = await deflate(new SegmentDeflater(4), new Uint8Array());
  assert.deepEqual([chunks.length, segment], [0, { adler32: 1, rawBytes: 0 }]);
  assert.equal(inflate(await zlibStream(join([openBlock(7), closeBlock(1)]))).length, 0);
});

Deno.test("a wrong checksum in the closing bytes is seen by inflate", async () => {
  const { chunks, segment } = await deflate(new SegmentDeflater(4), sample(1000, 5));
  const stream = await zlibStream(join([openBlock(7), ...chunks, closeBlock(segment.adler32 ^ 1)]));
  assert.throws(() => inflate(stream), { code: "Z_DATA_ERROR" });
});

Deno.test("[SegmentDeflater] bytes do not depend on how they were handed over", async () => {
  const bytes = sample(BLOCK_BYTES * 2 + 1234, 6);
  const whole = await deflate(new SegmentDeflater(4), bytes);
  const pieces = new SegmentDeflater(4);
  const chunks: Uint8Array[] = [];
  const emit = (chunk: Uint8Array) => void chunks.push(chunk);
  for (let start = 0; start < bytes.length; start += 99_991) {
    await pieces.push(bytes.subarray(start, start + 99_991), emit);
  }
  assert.equal(pieces.rawBytes, bytes.length);
  assert.deepEqual(await pieces.finish(emit), whole.segment);
  assert.deepEqual(join(chunks), join(whole.chunks));
});

Deno.test("[adler32] agrees with zlib's trailer, over sums that are carried on", () => {
  for (const length of [0, 1, 7, 8, 3799, 3800, 3801, 100_000]) {
    const bytes = new Uint8Array(length).fill(255);
    const cut = Math.floor(length / 3);
    assert.equal(adler32(bytes.subarray(cut), adler32(bytes.subarray(0, cut))), adler32(bytes));
  }
  // RFC 1950's own sums of a well-known word.
  assert.equal(adler32(new TextEncoder().encode("Wikipedia")), 0x11e60398);
});

Deno.test("[combineAdler32] equals the checksum of the joined bytes, at any cut", () => {
  const bytes = sample(200_000, 9);
  for (const cut of [0, 1, 65_521, 65_522, 131_042, 199_999, 200_000]) {
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assert.equal(
      combineAdler32(adler32(first), adler32(second), second.length),
      adler32(bytes),
      `cut at ${cut}`,
    );
  }
});
