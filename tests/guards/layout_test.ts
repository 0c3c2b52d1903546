/** Names, sizes and words that the whole tree keeps to. */
import assert from "node:assert/strict";
import { sourceFiles } from "./source_files.ts";

const FOLDERS = ["supabase", "stack", "cli", "build", "tests", "bench"];

/** A name that says nothing about its content becomes the place where everything ends up. */
const EMPTY_NAMES = /(^|\/)(utils?|helpers?|common|misc|manager)(\.ts|\/)/i;

/** Beyond this a file holds more than one idea, or says in its first comment why it does not: "One file because …". */
const LONGEST_SOURCE = 250;
const PRODUCT = ["supabase/functions", "supabase/schemas", "supabase/setup", "stack", "cli", "build"];

async function all(ending: string) {
  return (await Promise.all(FOLDERS.map((folder) => sourceFiles(folder, ending)))).flat();
}

Deno.test("no file or folder has a name that says nothing", async () => {
  const wrong = (await all("")).map(({ path }) => path).filter((path) => EMPTY_NAMES.test(path));
  assert.deepEqual(wrong, []);
  assert.ok(EMPTY_NAMES.test("cli/utils.ts") && EMPTY_NAMES.test("stack/common/a.ts"));
});

Deno.test("no source file is longer than one idea, unless its first comment gives the reason", async () => {
  const sources = (await Promise.all(PRODUCT.map((folder) => sourceFiles(folder, "")))).flat();
  const wrong = sources.filter(({ path }) => /\.(ts|sql|mjs)$/.test(path)).filter(isTooLong)
    .map(({ path }) => path);
  assert.deepEqual(wrong, []);
  const long = "\n1;".repeat(LONGEST_SOURCE);
  assert.ok(isTooLong({ source: `/** A list. */\nconst a = 1; // One file because I say so.${long}` }));
  assert.ok(!isTooLong({ source: `/**\n * A list. One file because\n * it is one list.\n */${long}` }));
  assert.ok(!isTooLong({ source: `-- A list.\n-- One file because it is one list.${long}` }));
});

function isTooLong({ source }: { source: string }): boolean {
  if (source.trimEnd().split("\n").length <= LONGEST_SOURCE) return false;
  const [comment] = source.match(/^(\/\*[\s\S]*?\*\/|(--.*\n)+)/) ?? [""];
  return !/\bOne file because\b/.test(comment);
}

/** A literal spread into a literal only to have it on fewer lines. Spreads of something computed go on: `].map(`. */
const SPREAD_LITERAL = /\.\.\.(\{[^{}]*\}|\[[^[\]]*\]),?\n(?!\s*\.)/;

Deno.test("no literal is spread into another one", async () => {
  const wrong = (await all(".ts")).filter(({ source }) => SPREAD_LITERAL.test(source)).map(({ path }) =>
    path
  );
  assert.deepEqual(wrong, []);
  assert.ok(SPREAD_LITERAL.test("  ...{ a: 1, b: 2 },\n") && SPREAD_LITERAL.test("  ...[\n  1,\n  ],\n"));
  assert.ok(
    !SPREAD_LITERAL.test("  ...[1, 2].map(f),\n") && !SPREAD_LITERAL.test("  ...(a ? { b } : {}),\n"),
  );
});

const LONGEST_PROSE = 120;

Deno.test(`no line of prose is longer than ${LONGEST_PROSE} columns`, async () => {
  const written = (await sourceFiles(".", "")).filter(({ path }) => !FROZEN.test(path));
  const wrong = written.flatMap((file) => longProse(file).map((line) => `${file.path}: ${line}`));
  assert.deepEqual(wrong, []);
  const text = "word ".repeat(30);
  const examples = { "a.ts": `/**\n * ${text}`, "a.mjs": `// ${text}`, "a.sql": `-- ${text}`, "a.md": text };
  for (const [path, source] of Object.entries(examples)) {
    assert.equal(longProse({ path, source }).length, 1, path);
  }
  assert.deepEqual(longProse({ path: "a.md", source: `| ${text} |\n\n\`\`\`\n${text}\n\`\`\`` }), []);
});

/** Migrations, what they were made of, and SQL that a comment quotes for its test. */
const FROZEN = /^supabase\/(migrations|setup)\/|^tests\/corpus\/.*\.sql$/;

/** Which lines are prose, by the file's name: comments of programs, and Markdown outside of its tables. */
const PROSE: [name: RegExp, line: RegExp][] = [
  [/\.md$/, /^(?!\|)/],
  [/\.(ts|mjs|sql|sh|yml|toml)$/, /^\s*(\/\/|\/?\*|--|#)/],
];

function longProse({ path, source }: { path: string; source: string }): string[] {
  const [, isProse] = PROSE.find(([name]) => name.test(path)) ?? [];
  const text = path.endsWith(".md") ? source.replaceAll(/^ *```[\s\S]*?^ *```/gm, "") : source;
  return text.split("\n").filter((line) => line.length > LONGEST_PROSE && isProse?.test(line));
}

Deno.test("the README is one page: what, why, try it, install, restore, limits", async () => {
  const [readme] = await sourceFiles("README.md", "");
  assert.ok(readme!.source.trim().split(/\s+/).length <= 1200);
});

Deno.test("no test is skipped or run alone by accident", async () => {
  const wrong = (await all("_test.ts")).filter(({ path, source }) =>
    path !== "tests/guards/layout_test.ts" && /Deno\.test\.(only|ignore)|\bonly: true/.test(source)
  ).map(({ path }) => path);
  assert.deepEqual(wrong, []);
});

const SEARCH_PATH = /set search_path\s*(=|to)\s*pg_catalog, pg_temp\b/i;

Deno.test("every SQL function of the schemas fixes its search_path, pg_temp last", async () => {
  const sources = await sourceFiles("supabase/schemas", ".sql");
  assert.ok(sources.length > 0);
  const wrong = sources.flatMap(({ path, source }) =>
    functionsWithoutPath(source).map((name) => `${path}: ${name}`)
  );
  assert.deepEqual(wrong, []);
  for (const path of ["", "set search_path = pg_temp, pg_catalog", "set search_path = public"]) {
    assert.deepEqual(
      functionsWithoutPath(`create function a.b() returns int language sql ${path} as $$ select 1 $$;`),
      ["a.b"],
    );
  }
});

/** A function's header ends where its body begins (`as $$` or `begin atomic`). */
function functionsWithoutPath(source: string): string[] {
  const headers = source.matchAll(
    /create (?:or replace )?(?:function|procedure)\s+([\w.]+)([\s\S]*?)(?:\bas \$|begin atomic)/gi,
  );
  return [...headers].filter(([, , header]) => !SEARCH_PATH.test(header!)).map((
    [, name],
  ) => name!);
}

Deno.test("an object of the schemas has its text in the catalog, where the docs take it from, and not beside it", async () => {
  const sources = await sourceFiles("supabase/schemas", ".sql");
  const wrong = sources.flatMap(({ path, source }) =>
    textsBesideObjects(source).map((text) => `${path}: ${text}`)
  );
  assert.deepEqual(wrong, []);
  assert.equal(textsBesideObjects("-- What it is.\ncreate table a.b (c text);").length, 1);
});

function textsBesideObjects(source: string): string[] {
  return [...source.matchAll(/^--.*\ncreate (?:or replace )?(?:function|view|table).*/gm)].map(([text]) =>
    text
  );
}

Deno.test("every raise of an exception says its errcode and a hint", async () => {
  const sources = await sourceFiles("supabase/schemas", ".sql");
  const wrong = sources.flatMap(({ path, source }) =>
    [...source.matchAll(/raise exception[\s\S]*?;/gi)]
      .filter(([statement]) => !/errcode/i.test(statement) || !/hint/i.test(statement))
      .map(([statement]) => `${path}: ${statement.slice(0, 80)}`)
  );
  assert.deepEqual(wrong, []);
});
