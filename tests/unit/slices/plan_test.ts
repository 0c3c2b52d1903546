import assert from "node:assert/strict";
import { copyStatement } from "../../../supabase/functions/backup/slices/piece.ts";
import { PARTS_PER_SLICE, PIECE_BYTES, planSlices } from "../../../supabase/functions/backup/slices/plan.ts";
import type { TableData } from "../../../supabase/functions/backup/entry.ts";

const MB = 1024 * 1024;

function table(dumpId: number, parts: Partial<TableData> = {}): TableData {
  return {
    dumpId,
    oid: dumpId,
    schema: "public",
    name: `t${dumpId}`,
    qualifiedName: `public.t${dumpId}`,
    columnList: "(a, b)",
    filter: "",
    sliceable: true,
    pages: 1,
    heapBytes: 8192,
    toastBytes: 0,
    owner: "postgres",
    estimatedRows: -1,
    ...parts,
  };
}

const small = { bytes: 70_000, regions: null };
const settings = { sliceBytes: MB, headParts: 1 };

Deno.test("[planSlices] lets small neighbours share a slice, in archive order", () => {
  const tables = Array.from({ length: 20 }, (_, index) => table(index + 1));
  const slices = planSlices(tables, tables.map(() => small), settings);
  const ids = slices.map(({ pieces }) => pieces.map(({ dumpId }) => dumpId));
  assert.deepEqual(ids.flat(), tables.map(({ dumpId }) => dumpId));
  assert.deepEqual(ids.map((piece) => piece.length), [7, 7, 6]);
  assert.ok(slices.every(({ estimatedBytes }) => estimatedBytes <= MB));
});

Deno.test("[planSlices] counts what a statement costs: thousands of empty tables do not share one slice", () => {
  const tables = Array.from({ length: 20_000 }, (_, index) => table(index + 1, { pages: 0, heapBytes: 0 }));
  const slices = planSlices(tables, tables.map(() => ({ bytes: 0, regions: null })), {
    ...settings,
    sliceBytes: 64 * MB,
  });
  assert.equal(slices.length, Math.ceil(20_000 / Math.floor(64 * MB / PIECE_BYTES)));
});

Deno.test("[planSlices] cuts a large table into equal slices that leave no page out", () => {
  const large = table(1, { pages: 1000 });
  const slices = planSlices([large], [{
    bytes: 10 * MB,
    regions: [{ pages: 1000, pageBytes: 10 * MB / 1000, lines: 50 }],
  }], settings);
  assert.equal(slices.length, 10);
  const pieces = slices.map(({ pieces }) => pieces[0]!);
  assert.deepEqual(pieces.map(({ first }) => first), [true, ...Array(9).fill(false)]);
  assert.deepEqual(pieces.map(({ last }) => last), [...Array(9).fill(false), true]);
  assert.equal(pieces[0]!.from, null);
  assert.equal(pieces.at(-1)!.to, null);
  for (let index = 1; index < pieces.length; index++) {
    assert.equal(pieces[index]!.from, pieces[index - 1]!.to);
  }
  assert.equal(pieces[5]!.from, "(500,0)");
});

Deno.test("[planSlices] cuts by what lies where, not by pages alone", () => {
  // The second half of the pages has nine tenths of the text.
  const regions = [{ pages: 500, pageBytes: 2_000, lines: 50 }, { pages: 500, pageBytes: 18_000, lines: 50 }];
  const slices = planSlices([table(1, { pages: 1000 })], [{ bytes: 10_000_000, regions }], settings);
  const firstCut = slices[1]!.pieces[0]!.from!;
  assert.equal(firstCut, "(500,0)");
});

Deno.test("[planSlices] cuts inside a page that alone has more than a slice", () => {
  const regions = [{ pages: 2, pageBytes: 5 * MB, lines: 20 }];
  const slices = planSlices([table(1, { pages: 2 })], [{ bytes: 10 * MB, regions }], settings);
  assert.equal(slices.length, 10);
  assert.deepEqual(slices.map(({ pieces }) => pieces[0]!.from).slice(0, 6), [
    null,
    "(0,5)",
    "(0,9)",
    "(0,13)",
    "(0,17)",
    "(1,0)",
  ]);
});

Deno.test("[planSlices] never cuts between two lines of one row", () => {
  const regions = [{ pages: 1, pageBytes: 5 * MB, lines: 1 }];
  assert.equal(planSlices([table(1)], [{ bytes: 5 * MB, regions }], settings).length, 1);
});

Deno.test("[planSlices] gives each slice its own part numbers behind the head's", () => {
  const tables = [table(1), table(2)];
  const slices = planSlices(tables, [{ bytes: MB, regions: null }, { bytes: MB, regions: null }], {
    ...settings,
    headParts: 3,
  });
  assert.deepEqual(slices.map(({ firstPart }) => firstPart), [3, 3 + PARTS_PER_SLICE]);
});

Deno.test("[planSlices] refuses more slices than there are names, and says what to do", () => {
  const regions = [{ pages: 10_000, pageBytes: MB, lines: 1 }];
  assert.throws(() => planSlices([table(1)], [{ bytes: 10_000 * MB, regions }], settings), {
    code: "too_large",
    hint: /slice_bytes/,
  });
});

Deno.test("[planSlices] of a database without tables is empty", () => {
  assert.deepEqual(planSlices([], [], settings), []);
});

Deno.test("[copyStatement] takes a whole table as pg_dump does, and a range or a filter as a query", () => {
  const whole = {
    dumpId: 1,
    table: 'public."T"',
    owner: "postgres",
    columns: '(a, "B")',
    filter: "",
    from: null,
    to: null,
    first: true,
    last: true,
  };
  assert.equal(copyStatement(whole), 'COPY public."T" (a, "B") TO stdout');
  assert.equal(
    copyStatement({ ...whole, from: "(5,0)", to: "(9,0)" }),
    `COPY (SELECT a, "B" FROM ONLY public."T" WHERE ctid >= '(5,0)'::pg_catalog.tid AND ctid < '(9,0)'::pg_catalog.tid) TO stdout`,
  );
  assert.equal(
    copyStatement({ ...whole, filter: "WHERE a > 1" }),
    'COPY (SELECT a, "B" FROM public."T" WHERE a > 1) TO stdout',
  );
});
