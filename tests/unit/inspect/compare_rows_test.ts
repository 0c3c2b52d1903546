/** Rows of two states, compared: by key, as whole rows, with columns that only one side has. */
import assert from "node:assert/strict";
import { compareRows, type TableRows } from "../../../supabase/functions/backup/inspect/compare_rows.ts";
import { RowIndex } from "../../../supabase/functions/backup/inspect/row_index.ts";

function table(columns: string[], lines: string[], key: string[] | null = ["id"], size = 7): TableRows {
  const bytes = new TextEncoder().encode([...lines, "\\.", "", "", ""].join("\n"));
  return {
    columns,
    key,
    async *read() {
      for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
    },
  };
}

const BEFORE = table(["id", "name"], ["1\tone", "2\t\\N", "3\tthree", "4\tfour"]);

Deno.test("[compare rows] rows are matched by their key, whatever their order", async () => {
  const after = table(["id", "name"], ["4\tfour", "3\tthree\\tb", "2\t", "7\tseven", "9\tnine"]);
  assert.deepEqual(await compareRows(BEFORE, after, 10), {
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
  const { added, removed, samples } = await compareRows(BEFORE, after, 1);
  assert.deepEqual([added, removed], [2, 4]);
  assert.deepEqual(samples[0], { before: null, after: ["5", "five"] });
  assert.deepEqual([samples.length, samples[1]!.after, samples[1]!.before!.length], [2, null, 2]);
});

Deno.test("[compare rows] without a key whole rows are matched, and equal ones are counted", async () => {
  const before = table(["a"], ["x", "x", "x", "y", ""], null);
  const after = table(["a"], ["x", "z", "", "", "\\N"], null);
  const found = await compareRows(before, after, 9);
  assert.deepEqual([found.key, found.added, found.removed, found.changed], [null, 3, 3, 0]);
  assert.deepEqual(found.samples.filter(({ after }) => after).map(({ after }) => after), [["z"], [""], [
    null,
  ]]);
});

Deno.test("[compare rows] a key of several columns in another order than theirs", async () => {
  const before = table(["a", "b", "c"], ["1\t2\tx", "1\t3\ty", "12\t3\tz"], ["a", "b"]);
  const after = table(["c", "b", "a"], ["x\t2\t1", "Y\t3\t1", "z\t3\t12"], ["b", "a"]);
  const found = await compareRows(before, after, 9);
  assert.deepEqual([found.added, found.removed, found.changed], [0, 0, 1]);
  assert.deepEqual(found.samples, [{ before: ["1", "3", "y"], after: ["Y", "3", "1"] }]);
});

Deno.test("[compare rows] columns that one side lacks are not compared", async () => {
  const after = table(["id", "new", "name"], ["1\tn\tone", "2\tn\t\\N", "3\tn\tthree", "4\tn\tFOUR"]);
  const found = await compareRows(BEFORE, after, 9);
  assert.deepEqual([found.added, found.removed, found.changed], [0, 0, 1]);
  assert.deepEqual(found.samples, [{ before: ["4", "four"], after: ["4", "n", "FOUR"] }]);
});

Deno.test("[compare rows] a key that is there twice matches nothing by itself", async () => {
  const before = table(["id", "name"], ["1\ta", "1\tb"], null);
  const after = table(["id", "name"], ["1\tb", "1\tc"]);
  const found = await compareRows(before, after, 9);
  assert.deepEqual([found.key, found.added, found.removed, found.changed], [null, 1, 1, 0]);
});

Deno.test("[compare rows] a key that one side keeps twice, where it should not, matches nothing by itself", async () => {
  const after = table(["id", "name"], ["8\tx", "7\ta", "7\tb"]);
  const found = await compareRows(BEFORE, after, 9);
  assert.deepEqual([found.key, found.before, found.after], [null, 4, 3]);
  assert.deepEqual([found.added, found.removed, found.changed], [3, 4, 0]);
});

Deno.test("[compare rows] a key behind other columns", async () => {
  const before = table(["name", "id", "n"], ["a\t1\tx", "b\t2\tx", "c\t3\tx"]);
  const after = table(["name", "id", "n"], ["a\t1\tx", "b\t3\tx", "a\t2\tx"]);
  const found = await compareRows(before, after, 9);
  assert.deepEqual([found.added, found.removed, found.changed], [0, 0, 2]);
  assert.deepEqual(found.samples.map(({ before, after }) => [before![0], after![0]]), [["c", "b"], [
    "b",
    "a",
  ]]);
});

Deno.test("[compare rows] a row that begins as the end mark does", async () => {
  const before = table(["id", "a"], ["\\\\.\t1", "\\N\t2", ".\t3"], ["a"]);
  const after = table(["id", "a"], ["\\\\.\t1", "\\N\t2", "\\.\t3"], ["a"]);
  const found = await compareRows(before, after, 9);
  assert.deepEqual([found.before, found.after, found.changed], [3, 3, 1]);
});

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Lines of random length with ids from `from`, in random order. */
function randomLines(random: Iterator<number>, rows: number, shuffled: boolean): string[] {
  const next = () => random.next().value as number;
  const lines = Array.from({ length: rows }, (_, id) => {
    const text = "ab".repeat(next() < 0.01 ? 2000 : next() * 30);
    return `${id}\t${text}`;
  });
  return shuffled
    ? lines.map((line) => [next(), line] as const).sort(([a], [b]) => a - b).map(([, line]) => line)
    : lines;
}

for (const shuffled of [false, true]) {
  for (const key of [["id"], null]) {
    const what = `${shuffled ? "shuffled" : "ordered"} rows ${key ? "with" : "without"} a key`;
    Deno.test(`[compare rows] counts and samples are those of a map of all rows: ${what}`, async () => {
      const random = numbers(17);
      const next = () => random.next().value as number;
      const old = randomLines(random, 4000, shuffled);
      const now: string[] = [];
      for (const line of old) {
        const dice = next();
        if (dice < 0.05) continue;
        now.splice(
          shuffled && dice > 0.9 ? Math.floor(next() * now.length) : now.length,
          0,
          dice < 0.2 ? `${line}!` : line,
        );
      }
      for (let id = 5000; id < 5300; id++) now.splice(Math.floor(next() * now.length), 0, `${id}\tnew`);
      const known = countsOf(old, now, key !== null);
      for (const size of [1000, 100_000]) {
        for (const samples of [0, 3, 10_000]) {
          const columns = ["id", "text"];
          const found = await compareRows(
            table(columns, old, key, size),
            table(columns, now, key, size),
            samples,
          );
          const { added, removed, changed } = found;
          assert.deepEqual({ added, removed, changed }, known);
          const kinds = { added: 0, removed: 0, changed: 0 };
          const shown = new Set<string>();
          for (const { before, after } of found.samples) {
            if (before) assert.ok(old.includes(before.join("\t")));
            if (after) assert.ok(now.includes(after.join("\t")));
            if (before && after) assert.equal(before[0], after[0]);
            kinds[before === null ? "added" : after === null ? "removed" : "changed"]++;
            shown.add(JSON.stringify([before, after]));
          }
          assert.equal(shown.size, found.samples.length);
          assert.deepEqual(kinds, {
            added: Math.min(samples, added),
            removed: Math.min(samples, removed),
            changed: Math.min(samples, changed),
          });
        }
      }
    });
  }
}

function countsOf(old: string[], now: string[], isKeyed: boolean) {
  const idOf = (line: string) => isKeyed ? line.split("\t")[0]! : line;
  const [before, after] = [old, now].map((lines) => new Map(lines.map((line) => [idOf(line), line])));
  const shared = [...after!].filter(([id]) => before!.has(id));
  return {
    added: after!.size - shared.length,
    removed: before!.size - shared.length,
    changed: shared.filter(([id, line]) => before!.get(id) !== line).length,
  };
}

Deno.test("[compare rows] an index of many keys finds each of them, and none that was taken out", () => {
  const index = new RowIndex();
  const key = (number: number) => ({
    low: Math.imul(number, 0x9e3779b9) >>> 0,
    high: Math.imul(number, 0x7f4a7c15) >>> 0,
  });
  // Neighbours in a crowd: their low halves are few.
  const crowded = (number: number) => ({ low: 1000 + number % 3, high: number });
  for (let n = 0; n < 50_000; n++) index.add(key(n), { low: n, high: n + 1 }, n + 2);
  for (let n = 0; n < 500; n++) index.add(crowded(n), { low: n, high: 0 }, 1);
  for (let n = 0; n < 50_000; n += 7) index.remove(index.find(key(n)));
  for (let n = 0; n < 500; n += 2) index.remove(index.find(crowded(n)));
  assert.equal(index.size, 50_000 - Math.ceil(50_000 / 7) + 250);
  assert.equal([...index.places()].length, index.size);
  for (let n = 0; n < 50_000; n++) {
    const place = index.find(key(n));
    assert.equal(place < 0, n % 7 === 0);
    if (place < 0) continue;
    assert.deepEqual([index.value(place), index.number(place)], [{ low: n, high: n + 1 }, n + 2]);
  }
  for (let n = 0; n < 500; n++) assert.equal(index.find(crowded(n)) < 0, n % 2 === 0);
  assert.equal(index.find(key(50_001)), -1);
});
