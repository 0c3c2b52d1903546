/** docs/coverage.md names what the code covers, all of it and nothing else. */
import assert from "node:assert/strict";
import { FAMILIES } from "../../supabase/functions/backup/catalog/families.ts";
import { KINDS } from "../../supabase/functions/backup/catalog/uncovered.ts";
import { readCases } from "../corpus/cases.ts";
import { KNOWN_DIFFERENCES } from "../corpus/known_differences.ts";
import { sourceFiles } from "./source_files.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/coverage.md", import.meta.url));
const SOURCES =
  (await Promise.all(["catalog", "toc"].map((stage) => sourceFiles(`supabase/functions/backup/${stage}`))))
    .flat();

/** Families of which a file with another name reads a part. */
const PARTS_OF: Record<string, string> = { locks: "tables", sequence_values: "sequences" };

/** Cells of the table under a heading, without the table's own head. */
function tableUnder(heading: string): string[][] {
  const section = DOCUMENT.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const lines = section!.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

function words(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
}

const FAMILY_ROWS = tableUnder("Families");

Deno.test("docs/coverage.md has every family once, in the order of reading", () => {
  assert.deepEqual(FAMILY_ROWS.map(([family]) => family), FAMILIES.map(({ name }) => name));
});

Deno.test("docs/coverage.md has every kind of the catalogs that is known", () => {
  const documented = tableUnder("Codes of the catalogs").map(([column, code]) => words(`${column} ${code}`));
  const known = Object.entries(KINDS).flatMap(([column, codes]) => [...codes].map((code) => [column, code]));
  assert.deepEqual(documented.map(String).sort(), known.map(String).sort());
  const families = FAMILIES.map(({ name }) => name);
  const strangers = tableUnder("Codes of the catalogs").map(([, , family]) => family!)
    .filter((family) => !families.includes(family) && !family.startsWith("with its table"));
  assert.deepEqual(strangers, []);
});

Deno.test("docs/coverage.md has every kind of entry that is written, and no other", () => {
  const literals = new Set(
    SOURCES.flatMap(({ source }) =>
      [...source.matchAll(/desc: [^,\n]*/g)].flatMap(([line]) =>
        [...line.matchAll(/"([A-Z ]+)"/g)].map(([, desc]) => desc!)
      )
    ),
  );
  assert.ok(literals.size > 30);
  const missing = [...literals].filter((desc) => !words(DOCUMENT).includes(desc));
  assert.deepEqual(missing, [], "entries that are written and not documented");
  const unwritten = FAMILY_ROWS.flatMap(([, entries]) => words(entries!))
    // Some are the kind's own name in capitals.
    .filter((desc) =>
      !SOURCES.some(({ source }) =>
        source.includes(`"${desc}"`) || source.includes(`"${desc.toLowerCase()}"`)
      )
    );
  assert.deepEqual(unwritten, [], "entries that are documented and not written");
});

Deno.test("docs/coverage.md names for every family the cases that show it", async () => {
  const kinds = new Set((await readCases()).map(({ name }) => name.split("--")[0]!));
  const without = FAMILY_ROWS.filter(([, , corpus]) => !words(corpus!).some((kind) => kinds.has(kind)));
  assert.deepEqual(without, []);
  const strangers = FAMILY_ROWS.flatMap(([, , corpus]) => words(corpus!)).filter((kind) => !kinds.has(kind));
  assert.deepEqual(strangers, []);
});

Deno.test("docs/coverage.md says where a privilege may be missing, and what every warning means", () => {
  const codes = (source: string) => [...source.matchAll(/code: "(\w+)"/g)].map(([, code]) => code!);
  const documented = tableUnder("Warnings").flatMap(([code]) => words(code!));
  assert.deepEqual(documented.sort(), [...new Set(SOURCES.flatMap(({ source }) => codes(source)))].sort());

  const families = SOURCES.filter(({ source }) => codes(source).includes("no_privilege")).map(
    ({ path, source }) => {
      const file = path.match(/(\w+)\.ts$/)![1]!;
      // A file may hold two families; the one that warns comes last.
      return PARTS_OF[file] ?? [...source.matchAll(/^ {2}name: "([^"]+)"/gm)].at(-1)![1]!;
    },
  );
  const noted = FAMILY_ROWS.filter(([, , , state]) => words(state!).includes("no_privilege")).map((
    [family],
  ) => family!);
  assert.deepEqual(noted.sort(), families.sort());
  const states = FAMILY_ROWS.map(([, , , state]) => state!).filter((state) =>
    !/^dumped(; .+: `no_privilege`)?$/.test(state)
  );
  assert.deepEqual(states, []);
});

Deno.test("docs/coverage.md has every known difference from pg_dump", () => {
  const missing = Object.keys(KNOWN_DIFFERENCES).filter((name) => !words(DOCUMENT).includes(name));
  assert.deepEqual(missing, []);
});
