/** docs/security.md claims nothing without a test, and no security test is without its claim. */
import assert from "node:assert/strict";
import { sourceFiles } from "../guards/source_files.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/security.md", import.meta.url));

const LINES = DOCUMENT.split("\n");

/** Rows of all tables, as cells; without heads, which a line of dashes follows. */
const ROWS = LINES.filter((line, index) => line.startsWith("| ") && !LINES[index + 1]?.startsWith("|---"))
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

/** Of whom there is nothing to show: they may do everything. */
const UNLIMITED = ["`postgres`"];

const testsIn = (text: string) => [...text.matchAll(/`(tests\/[\w./-]+)`/g)].map(([, path]) => path!);

Deno.test("docs/security.md names a test for each claim", () => {
  assert.ok(ROWS.length > 40, `${ROWS.length} rows`);
  const without = ROWS.filter((cells) => testsIn(cells.at(-1)!).length === 0).map(([first]) => first!);
  assert.deepEqual(without, UNLIMITED);
});

Deno.test("docs/security.md names tests that exist", async () => {
  const existing = (await Promise.all(["tests"].map((folder) => sourceFiles(folder, "")))).flat().map((
    { path },
  ) => path);
  const missing = testsIn(DOCUMENT).filter((path) => !existing.includes(path));
  assert.deepEqual(missing, []);
  // Test files run; suites of SQL are run by one.
  assert.ok(testsIn(DOCUMENT).every((path) => /_test\.ts$|^tests\/sql\/\w+\/\w+\.sql$/.test(path)));
});

Deno.test("docs/security.md names every security test", async () => {
  const tests = (await sourceFiles("tests/security", "_test.ts")).map(({ path }) => path);
  assert.deepEqual(tests.filter((path) => !testsIn(DOCUMENT).includes(path)), []);
});
