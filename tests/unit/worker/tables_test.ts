import assert from "node:assert/strict";
import { adler32 } from "../../../supabase/functions/backup/archive/adler.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import type { Finish } from "../../../supabase/functions/backup/run/verbs.ts";
import type { Piece } from "../../../supabase/functions/backup/slices/piece.ts";
import { PARTS_PER_SLICE } from "../../../supabase/functions/backup/slices/plan.ts";
import { addUp } from "../../../supabase/functions/backup/worker/tables.ts";

const TEXTS = ["one\n", "two\nthree\n", "\\.\n\n\n"].map((text) => new TextEncoder().encode(text));

/** A run whose only table, or all large objects, were exported in three slices. */
function finish(change: Partial<Piece> = {}): Finish {
  const slices = TEXTS.map((bytes, number) => ({
    number,
    first_part: 1 + number * PARTS_PER_SLICE,
    pieces: [{
      ...{ dumpId: 7, table: "public.t", columns: "(a)", filter: "", from: null, to: null },
      ...{ first: number === 0, last: number === TEXTS.length - 1 },
      ...change,
    }],
    result: {
      ...{ rows: 1, raw_bytes: bytes.length, stored_bytes: 20 },
      pieces: [{ dumpId: 7, rows: 1, rawBytes: bytes.length, adler32: adler32(bytes), storedBytes: 20 }],
    },
  }));
  return {
    slices,
    parts: slices.map(({ number }) => ({
      ...{ name: `${number}`, bytes: 20, sha256: "", slice_number: number, verified_at: null },
    })),
    facts: { tables: [{ dumpId: 7, schema: "public", name: "t" }] },
  } as unknown as Finish;
}

const asStored = (bytes: number) => bytes;

Deno.test("[addUp] ends a table in several pieces with the checksum of all, in the last slice's last part", () => {
  const { tables, closings } = addUp(finish(), asStored);
  const all = new Uint8Array(TEXTS.flatMap((bytes) => [...bytes]));
  const checksum = adler32(all).toString(16).padStart(8, "0");
  assert.deepEqual(tables, [{
    schema: "public",
    name: "t",
    rows: 3,
    rawBytes: all.length,
    adler32: checksum,
  }]);
  assert.deepEqual(closings, [{ part: 3 * PARTS_PER_SLICE, adler32: adler32(all) }]);
});

Deno.test("[addUp] has nothing to write behind large objects: each one ended in its own piece", () => {
  const { tables, closings } = addUp(finish({ largeObjects: true }), asStored);
  assert.deepEqual(closings, []);
  assert.ok(!("adler32" in tables[0]!));
});

Deno.test("[addUp] refuses a table that did not end, and bytes that no part has", () => {
  assert.throws(
    () => addUp(finish({ last: false }), asStored),
    (error) => error instanceof BackupError && error.code === "table_not_read",
  );
  const lost = finish();
  lost.parts.pop();
  assert.throws(
    () => addUp(lost, asStored),
    (error) => error instanceof BackupError && error.code === "verification_failed",
  );
});
