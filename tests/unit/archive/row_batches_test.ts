/** Rows from any place of a data block of ours. */
import assert from "node:assert/strict";
import { closeBlock, COPY_END, openBlock } from "../../../supabase/functions/backup/archive/block.ts";
import { bytesSource } from "../../../supabase/functions/backup/archive/byte_source.ts";
import { ArchiveError } from "../../../supabase/functions/backup/archive/primitives.ts";
import {
  firstRow,
  rowBatches,
  type RowPlace,
} from "../../../supabase/functions/backup/archive/row_batches.ts";
import { SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";

const BEFORE = 1000;

/** A block behind other bytes, exported in pieces as slices do. */
async function blockOf(pieces: string[]): Promise<Uint8Array> {
  const bytes: number[] = new Array(BEFORE).fill(0);
  const emit = (chunk: Uint8Array) => {
    for (const byte of chunk) bytes.push(byte);
  };
  const deflater = new SegmentDeflater(4);
  emit(openBlock(7));
  for (const [index, piece] of pieces.entries()) {
    await deflater.push(new TextEncoder().encode(piece), emit);
    if (index === pieces.length - 1) await deflater.push(COPY_END, emit);
    await deflater.finish(emit);
  }
  // The checksum is not looked at here.
  emit(closeBlock(0));
  return new Uint8Array([...bytes, 9, 9, 9]);
}

async function textFrom(bytes: Uint8Array, place: RowPlace) {
  const source = bytesSource(bytes);
  const places: (RowPlace | null)[] = [];
  let text = "";
  let rows = 0;
  for await (const batch of rowBatches(source, place)) {
    text += new TextDecoder().decode(batch.text);
    rows += batch.rows;
    places.push(batch.next);
  }
  return { text, rows, places };
}

Deno.test("[rowBatches] gives all rows, and from each place the rest of them", async () => {
  const long = `long\t${"x".repeat(2_500_000)}\n`;
  const many = Array.from({ length: 90_000 }, (_, index) => `${index}\trow ${index * 7919 % 10_007}\n`).join(
    "",
  );
  const pieces = [many, "", `a\\nb\t\\N\n${long}`, "last\n"];
  const bytes = await blockOf(pieces);
  const whole = pieces.join("");
  const first = await firstRow(bytesSource(bytes), 7, BEFORE);
  const { text, rows, places } = await textFrom(bytes, first);
  assert.ok(text === whole);
  assert.equal(rows, 90_000 + 3);
  assert.equal(places.at(-1), null);
  assert.ok(places.length >= 4, `${places.length} batches`);
  const lengths: number[] = [];
  for (const place of places.slice(0, -1)) {
    const rest = await textFrom(bytes, place!);
    assert.ok(whole.endsWith(rest.text));
    assert.equal(rest.rows, rest.text.split("\n").length - 1);
    lengths.push(rest.text.length);
  }
  assert.deepEqual(
    lengths,
    [...new Set(lengths)].sort((a, b) => b - a),
    "each place is behind the one before",
  );
});

Deno.test("[rowBatches] a table without rows, and one whose rows look like the end mark", async () => {
  for (const pieces of [[""], ["\\\\.\n"], ["\n\n\n"]]) {
    const bytes = await blockOf(pieces);
    const { text, rows } = await textFrom(bytes, await firstRow(bytesSource(bytes), 7, BEFORE));
    assert.equal(text, pieces.join(""));
    assert.equal(rows, pieces[0]!.split("\n").length - 1);
  }
});

Deno.test("[rowBatches] refuses what is damaged, cut off, or another table's", async () => {
  const bytes = await blockOf(["1\n2\n".repeat(1000)]);
  const place = await firstRow(bytesSource(bytes), 7, BEFORE);
  await assert.rejects(firstRow(bytesSource(bytes), 8, BEFORE), ArchiveError);
  await assert.rejects(firstRow(bytesSource(bytes), 7, BEFORE + 1), ArchiveError);
  await assert.rejects(textFrom(bytes.subarray(0, bytes.length - 20), place), ArchiveError);
  const damaged = bytes.slice();
  damaged.fill(0xff, place.chunk + 5, place.chunk + 9);
  await assert.rejects(textFrom(damaged, place), ArchiveError);
});
