/** What reaches the terminal: styles of our own, and nothing that a name could do there. */
import assert from "node:assert/strict";
import { labelled } from "../../cli/terminal/output.ts";
import { colors, plain, rendered, widthOf } from "../../cli/terminal/style.ts";
import { table } from "../../cli/terminal/table.ts";

Deno.test("styles are ours alone: escape codes and marks in a name are shown", () => {
  const line = `${colors.red("failed")} a\x1b[32m✔\x1b[0m\u202eb`;
  assert.equal(rendered(line, true), "\x1b[31mfailed\x1b[0m a\\u{1b}[32m✔\\u{1b}[0m\\u{202e}b");
  assert.equal(rendered(line, false), "failed a\\u{1b}[32m✔\\u{1b}[0m\\u{202e}b");
  // A name that was made after a mark was seen elsewhere: the number of this process is another.
  const guessed = "\x1b<00000000-0000-4000-8000-000000000000:32>✔";
  assert.ok(!rendered(guessed, true).includes("\x1b"));
  assert.equal(rendered(colors.red("a\nb"), false), "a\\nb");
});

Deno.test("a message of several lines has one at the margin", () => {
  assert.deepEqual(labelled("error:", "no table x\n✔ restored\n\nhint: rm"), [
    "error: no table x",
    "  | ✔ restored",
    "  | ",
    "  | hint: rm",
  ]);
});

Deno.test("widthOf() counts columns, not characters", () => {
  assert.equal(widthOf("日本"), 4);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(widthOf(colors.bold("ab")), 2);
  assert.equal(widthOf("\x1b"), "\\u{1b}".length);
});

Deno.test("a table has one line a row where there is room, whatever the names", () => {
  const lines = table(["backup", "rows"], [["a\n✔ bc", "1"], ["日本", "1,000"]], ["left", "right"], Infinity);
  assert.deepEqual(lines.map((line) => plain(line)), [
    "backup  │  rows",
    "────────┼──────",
    "a\\n✔ bc │     1",
    "日本    │ 1,000",
  ]);
});

Deno.test("a table fits a narrow terminal: words wrap, and many columns become lists", () => {
  const text = "the last run failed because the bucket is full and nobody has looked after it";
  const two = table(["severity", "what"], [[colors.red("failing"), text]], [], 60);
  assert.ok(two.every((line) => widthOf(line) <= 60), two.join("\n"));
  assert.equal(two.length, 4);
  const head = ["run", "backup", "trigger", "status", "started", "took", "tables", "rows"];
  const row = [
    "12",
    "backup-20261122-030000",
    "scheduled",
    "succeeded",
    "2026-11-22 03:00:00 UTC",
    "1.2 s",
    "40",
    "9",
  ];
  const lists = table(head, [row, row], [], 60).map(plain);
  assert.ok(lists.every((line) => widthOf(line) <= 60), lists.join("\n"));
  assert.equal(lists[1], "backup   backup-20261122-030000");
  assert.equal(lists.filter((line) => line === "").length, 2);
  const fewer = table(head, [row, row], [], 70, ["tables", "rows", "started", "took"]).map(plain);
  assert.match(fewer[0]!, /^run │ backup +│ trigger +│ status/);
  assert.ok(fewer.every((line) => widthOf(line) <= 70), fewer.join("\n"));
  assert.equal(fewer.length, 4);
  assert.ok(table(["what"], [["x".repeat(100)]], [], 40).every((line) => widthOf(line) <= 40));
  const names = table(
    ["backup", "why"],
    [["backup-20261108-030000-2", "no place among the scheduled ones"]],
    [],
    50,
  );
  assert.ok(names.some((line) => line.includes("backup-20261108-030000-2")), "a name is not broken");
  assert.ok(names.every((line) => widthOf(line) <= 50));
});
