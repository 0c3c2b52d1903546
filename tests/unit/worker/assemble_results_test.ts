import assert from "node:assert/strict";
import { adler32 } from "../../../supabase/functions/backup/archive/adler.ts";
import { closeBlock } from "../../../supabase/functions/backup/archive/block.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import type { Finish } from "../../../supabase/functions/backup/run/run_client.ts";
import type { Piece } from "../../../supabase/functions/backup/slices/piece.ts";
import { PARTS_PER_SLICE } from "../../../supabase/functions/backup/slices/plan.ts";
import { assembleResults } from "../../../supabase/functions/backup/worker/assemble_results.ts";

const TEXTS = ["one\n", "two\nthree\n", "\\.\n\n\n"].map((text) => new TextEncoder().encode(text));

/** A run whose only table, or all large objects, were exported in three slices. */
function finish(change: Partial<Piece> = {}): Finish {
  const slices = TEXTS.map((bytes, number) => ({
    number,
    first_part: 1 + number * PARTS_PER_SLICE,
    pieces: [{
      dumpId: 7,
      table: "public.t",
      columns: "(a)",
      filter: "",
      from: null,
      to: null,
      first: number === 0,
      last: number === TEXTS.length - 1,
      ...change,
    }],
    result: {
      rows: 1,
      raw_bytes: bytes.length,
      stored_bytes: 20,
      pieces: [{ dumpId: 7, rows: 1, rawBytes: bytes.length, adler32: adler32(bytes), storedBytes: 20 }],
    },
  }));
  return {
    slices,
    parts: slices.map(({ number }) => ({
      name: `${number}`,
      bytes: 20,
      sha256: "",
      slice_number: number,
      verified_at: null,
    })),
    facts: { head_parts: 1, tables: [{ dumpId: 7, schema: "public", name: "t" }] },
  } as unknown as Finish;
}

const asStored = { archiveBytes: (bytes: number) => bytes, partName: (number: number) => `${number}` };

Deno.test("[assembleResults] ends a table in several pieces with the checksum of all, in the last slice's last part", () => {
  const { tables, closings } = assembleResults(finish(), asStored);
  const all = new Uint8Array(TEXTS.flatMap((bytes) => [...bytes]));
  const checksum = adler32(all).toString(16).padStart(8, "0");
  assert.deepEqual(tables, [{
    schema: "public",
    name: "t",
    rows: 3,
    rawBytes: all.length,
    adler32: checksum,
    begin: 0,
  }]);
  assert.deepEqual(closings, [{ part: 3 * PARTS_PER_SLICE, adler32: adler32(all) }]);
});

Deno.test("[assembleResults] says where each table's data block begins: behind the head, and behind closing parts", () => {
  const both = finish();
  both.parts.push({ name: "0", bytes: 100, sha256: "", slice_number: null, verified_at: null });
  both.facts.tables.push({ dumpId: 8, schema: "public", name: "u" });
  both.slices.push({
    ...both.slices[0]!,
    number: 3,
    pieces: [{ ...both.slices[0]!.pieces[0]!, dumpId: 8, first: true, last: true }],
    result: { ...both.slices[0]!.result, pieces: [{ ...both.slices[0]!.result.pieces[0]!, dumpId: 8 }] },
  });
  both.parts.push({ ...both.parts[0]!, name: "3", slice_number: 3 });
  const { tables } = assembleResults(both, asStored);
  assert.deepEqual(tables.map(({ begin }) => begin), [100, 100 + 3 * 20 + closeBlock(0).length]);
});

Deno.test("[assembleResults] has nothing to write behind large objects: each one ended in its own piece", () => {
  const { tables, closings } = assembleResults(finish({ largeObjects: true }), asStored);
  assert.deepEqual(closings, []);
  assert.ok(!("adler32" in tables[0]!));
});

Deno.test("[assembleResults] refuses a table that did not end, and bytes that no part has", () => {
  assert.throws(
    () => assembleResults(finish({ last: false }), asStored),
    (error) => error instanceof BackupError && error.code === "table_not_read",
  );
  const lost = finish();
  lost.parts.pop();
  assert.throws(
    () => assembleResults(lost, asStored),
    (error) => error instanceof BackupError && error.code === "verification_failed",
  );
});
