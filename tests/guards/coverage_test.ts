/** docs/coverage.md names what the code covers, all of it and nothing else. */
import assert from "node:assert/strict";
import { OBJECT_TYPES } from "../../supabase/functions/backup/catalog/object_types.ts";
import { KINDS } from "../../supabase/functions/backup/catalog/unsupported.ts";
import { readCases } from "../corpus/cases.ts";
import { KNOWN_CASES, knownDifference } from "../corpus/known_differences.ts";
import { COMPARED_VERSIONS as VERSIONS } from "../servers/versions.ts";
import { sourceFiles } from "./source_files.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/coverage.md", import.meta.url));
const SOURCES =
  (await Promise.all(["catalog", "toc"].map((stage) => sourceFiles(`supabase/functions/backup/${stage}`))))
    .flat().concat(
      (await sourceFiles("supabase/functions/backup", "entry.ts")).filter(({ path }) =>
        path.endsWith("/entry.ts")
      ),
    );

/** Object types of which a file with another name reads a part. */
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

const TYPE_ROWS = tableUnder("Object types");

Deno.test("docs/coverage.md has every object type once, in the order of reading", () => {
  assert.deepEqual(TYPE_ROWS.map(([type]) => type), OBJECT_TYPES.map(({ name }) => name));
});

Deno.test("docs/coverage.md has every kind of the catalogs that is known", () => {
  const documented = tableUnder("Codes of the catalogs").map(([column, code]) => words(`${column} ${code}`));
  const known = Object.entries(KINDS).flatMap(([column, codes]) => [...codes].map((code) => [column, code]));
  assert.deepEqual(documented.map(String).sort(), known.map(String).sort());
  const types = OBJECT_TYPES.map(({ name }) => name);
  const strangers = tableUnder("Codes of the catalogs").map(([, , type]) => type!)
    .filter((type) => !types.includes(type) && !type.startsWith("with its table"));
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
  const unwritten = TYPE_ROWS.flatMap(([, entries]) => words(entries!))
    // Some are the kind's own name in capitals.
    .filter((desc) =>
      !SOURCES.some(({ source }) =>
        source.includes(`"${desc}"`) || source.includes(`"${desc.toLowerCase()}"`)
      )
    );
  assert.deepEqual(unwritten, [], "entries that are documented and not written");
});

Deno.test("docs/coverage.md names for every object type the cases that show it", async () => {
  const kinds = new Set((await readCases()).map(({ name }) => name.split("--")[0]!));
  const without = TYPE_ROWS.filter(([, , corpus]) => !words(corpus!).some((kind) => kinds.has(kind)));
  assert.deepEqual(without, []);
  const strangers = TYPE_ROWS.flatMap(([, , corpus]) => words(corpus!)).filter((kind) => !kinds.has(kind));
  assert.deepEqual(strangers, []);
});

Deno.test("docs/coverage.md says of every object type how its cases compare on each version", async () => {
  assert.ok(DOCUMENT.includes(`| object type | entries | corpus | ${VERSIONS.join(" | ")} | state |`));
  const cases = await readCases();
  for (const [type, , corpus, ...cells] of TYPE_ROWS) {
    const expected = VERSIONS.map((version) => {
      const tried = cases.filter(({ name, fromVersion, untilVersion }) =>
        words(corpus!).includes(name.split("--")[0]!) && fromVersion <= version && version <= untilVersion
      );
      if (tried.length === 0) return "none";
      const differing = tried.filter(({ name }) => knownDifference(name, version) !== undefined);
      return differing.length === 0 ? "equal" : `all but ${differing.length}`;
    });
    assert.deepEqual(cells.slice(0, -1), expected, type);
  }
});

Deno.test("docs/coverage.md names every case of what is new in a version", async () => {
  const documented = tableUnder("New in a version").map(([since, , name]) => `${since} ${words(name!)}`);
  const newer = (await readCases()).filter(({ fromVersion }) => fromVersion > VERSIONS[0]!)
    .map(({ name, fromVersion }) => `${fromVersion} ${name}`);
  assert.deepEqual(documented.sort(), newer.sort());
});

Deno.test("docs/coverage.md says where a privilege may be missing, and what every warning means", () => {
  const codes = (source: string) => [...source.matchAll(/code: "(\w+)"/g)].map(([, code]) => code!);
  const documented = tableUnder("Warnings").flatMap(([code]) => words(code!));
  assert.deepEqual(documented.sort(), [...new Set(SOURCES.flatMap(({ source }) => codes(source)))].sort());

  const types = SOURCES.filter(({ source }) => codes(source).includes("no_privilege")).map(
    ({ path, source }) => {
      const file = path.match(/(\w+)\.ts$/)![1]!;
      // A file may hold two object types; the one that warns comes last.
      return PARTS_OF[file] ?? [...source.matchAll(/^ {2}name: "([^"]+)"/gm)].at(-1)![1]!;
    },
  );
  const noted = TYPE_ROWS.filter((cells) => words(cells.at(-1)!).includes("no_privilege")).map((
    [type],
  ) => type!);
  assert.deepEqual(noted.sort(), types.sort());
  const states = TYPE_ROWS.map((cells) => cells.at(-1)!).filter((state) =>
    !/^dumped(; .+: `no_privilege`)?$/.test(state)
  );
  assert.deepEqual(states, []);
});

Deno.test("docs/coverage.md has every known difference from pg_dump", () => {
  const missing = KNOWN_CASES.filter((name) => !words(DOCUMENT).includes(name));
  assert.deepEqual(missing, []);
});
