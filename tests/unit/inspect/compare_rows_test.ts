/** Rows of two states, compared: by key, as whole rows, with columns that only one side has. */
import assert from "node:assert/strict";
import { compareRows, type TableRows } from "../../../supabase/functions/backup/inspect/compare_rows.ts";
import { RowIndex } from "../../../supabase/functions/backup/inspect/row_index.ts";

function table(columns: string[], lines: string[], size = 7): TableRows {
  const bytes = new TextEncoder().encode([...lines, "\\.", "", "", ""].join("\n"));
  return {
    columns,
    async *read() {
      for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
    },
  };
}

const BEFORE = table(["id", "name"], ["1\tone", "2\t\\N", "3\tthree", "4\tfour"]);

Deno.test("[compare rows] rows are matched by their key, whatever their order", async () => {
  const after = table(["id", "name"], ["4\tfour", "3\tthree\\tb", "2\t", "7\tseven", "9\tnine"]);
  assert.deepEqual(await compareRows(BEFORE, after, ["id"], 10), {
    key: ["id"],
    before: 4,
    after: 5,
    added: 2,
    removed: 1,
    changed: 2,
    samples: [
      { before: null, after: ["7", "seven"] },
      { before: null, after: ["9", "nine"] },
      { before: ["1", "one"], after: null },
      { before: ["3", "three"], after: ["3", "three\tb"] },
      { before: ["2", null], after: ["2", ""] },
    ],
  });
});

Deno.test("[compare rows] the counts are whole where fewer samples are wanted", async () => {
  const after = table(["id", "name"], ["5\tfive", "6\tsix"]);
  const { added, removed, samples } = await compareRows(BEFORE, after, ["id"], 1);
  assert.deepEqual([added, removed], [2, 4]);
  assert.deepEqual(samples[0], { before: null, after: ["5", "five"] });
  assert.deepEqual([samples.length, samples[1]!.after, samples[1]!.before!.length], [2, null, 2]);
});

Deno.test("[compare rows] without a key whole rows are matched, and equal ones are counted", async () => {
  const before = table(["a"], ["x", "x", "x", "y", ""]);
  const after = table(["a"], ["x", "z", "", "", "\\N"]);
  const found = await compareRows(before, after, null, 9);
  assert.deepEqual([found.key, found.added, found.removed, found.changed], [null, 3, 3, 0]);
  assert.deepEqual(found.samples.filter(({ after }) => after).map(({ after }) => after), [["z"], [""], [
    null,
  ]]);
});

Deno.test("[compare rows] a key of several columns in another order than theirs", async () => {
  const before = table(["a", "b", "c"], ["1\t2\tx", "1\t3\ty", "12\t3\tz"]);
  const after = table(["c", "b", "a"], ["x\t2\t1", "Y\t3\t1", "z\t3\t12"]);
  const found = await compareRows(before, after, ["b", "a"], 9);
  assert.deepEqual([found.added, found.removed, found.changed], [0, 0, 1]);
  assert.deepEqual(found.samples, [{ before: ["1", "3", "y"], after: ["Y", "3", "1"] }]);
});

Deno.test("[compare rows] columns that one side lacks are not compared", async () => {
  const after = table(["id", "new", "name"], ["1\tn\tone", "2\tn\t\\N", "3\tn\tthree", "4\tn\tFOUR"]);
  const found = await compareRows(BEFORE, after, ["id"], 9);
  assert.deepEqual([found.added, found.removed, found.changed], [0, 0, 1]);
  assert.deepEqual(found.samples, [{ before: ["4", "four"], after: ["4", "n", "FOUR"] }]);
});

Deno.test("[compare rows] a key that is there twice matches nothing by itself", async () => {
  const before = table(["id", "name"], ["1\ta", "1\tb"]);
  const after = table(["id", "name"], ["1\tb", "1\tc"]);
  const found = await compareRows(before, after, ["id"], 9);
  assert.deepEqual([found.key, found.added, found.removed, found.changed], [null, 1, 1, 0]);
});

Deno.test("[compare rows] an index of many keys finds each of them", () => {
  const index = new RowIndex();
  const key = (number: number) => BigInt.asUintN(64, BigInt(number) * 0x9e3779b97f4a7c15n);
  for (let n = 0; n < 50_000; n++) index.set(key(n), BigInt(n));
  for (let n = 0; n < 50_000; n += 7) index.set(key(n), 0n);
  assert.equal(index.size, 50_000);
  for (let n = 0; n < 50_000; n++) assert.equal(index.get(key(n)), n % 7 === 0 ? 0n : BigInt(n));
  assert.equal(index.get(key(50_001)), null);
});
