/** docs/reliability.md has a row for every case that the fault tests have, and no row without its case. */
import assert from "node:assert/strict";
import { SECTIONS } from "../faults/matrix.ts";
import { POINTS } from "../faults/points.ts";

const ROOT = new URL("../../", import.meta.url);
const DOCUMENT = await Deno.readTextFile(new URL("docs/reliability.md", ROOT));

/** Steps that bring nothing about: they say how a project is when nothing has happened. */
const NO_FAULT = ["a new project says that it has no backup, and then that it is well"];

/** First cells of the table of a section. */
function rowsUnder(title: string): string[] {
  const section = DOCUMENT.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  return section.split("\n").filter((line) => line.startsWith("| ")).slice(1).map((line) =>
    line.split("|")[1]!.trim()
  );
}

/** A name in the source, as what it may become: `${…}` is anything. */
function pattern(name: string): RegExp {
  const parts = name.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}(, \\d at a time)?$`);
}

/** The cases that a test file has: its steps, and its tests without steps. */
async function casesOf(path: string): Promise<RegExp[]> {
  if (path === "tests/faults/points_test.ts") {
    return [1, 3].flatMap((workers) =>
      Object.keys(POINTS).map((name) => pattern(`${name}, ${workers} at a time`))
    );
  }
  const source = await Deno.readTextFile(new URL(path, ROOT));
  if (path === "tests/large/soak_test.ts") {
    return [...source.matchAll(/record\(\s*import\.meta\.url,\s*`(.+?)`/g)].map(([, name]) => pattern(name!));
  }
  const steps = [...source.matchAll(/\btest\.step\(\s*(["`])(.+?)\1/g)].map(([, , name]) => name!);
  const alone = [...source.matchAll(/^Deno\.test\(\s*"(.+?)", async \((?!test\b)/gm)].map(([, name]) =>
    name!
  );
  return [...steps, ...alone].filter((name) => !NO_FAULT.includes(name)).map(pattern);
}

for (const { title, test } of SECTIONS) {
  Deno.test(`docs/reliability.md has the cases of ${test}, and no others`, async () => {
    const rows = rowsUnder(title);
    const cases = await casesOf(test);
    assert.ok(cases.length > 0);
    const missing = cases.filter((one) => !rows.some((row) => one.test(row))).map(String);
    assert.deepEqual(missing, [], "run tests/faults/matrix.ts anew: it says how");
    const strangers = rows.filter((row) => !cases.some((one) => one.test(row)));
    assert.deepEqual(strangers, []);
  });
}
