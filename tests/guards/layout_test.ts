/** Names, sizes and words that the whole tree keeps to. */
import assert from "node:assert/strict";
import { sourceFiles } from "./source_files.ts";

const FOLDERS = ["supabase", "stack", "cli", "tests", "bench"];

/** A name that says nothing about its content becomes the place where everything ends up. */
const EMPTY_NAMES = /(^|\/)(utils?|helpers?|common|misc|manager)(\.ts|\/)/i;

/** Beyond this a file holds more than one idea; tables of facts and tests may be long. */
const LONGEST_SOURCE = 400;

async function all(ending: string) {
  return (await Promise.all(FOLDERS.map((folder) => sourceFiles(folder, ending)))).flat();
}

Deno.test("no file or folder has a name that says nothing", async () => {
  const wrong = (await all("")).map(({ path }) => path).filter((path) => EMPTY_NAMES.test(path));
  assert.deepEqual(wrong, []);
  assert.ok(EMPTY_NAMES.test("cli/utils.ts") && EMPTY_NAMES.test("stack/common/a.ts"));
});

Deno.test("no source file is longer than one idea", async () => {
  const long = (await all(".ts")).filter(({ path }) => !path.startsWith("tests/"))
    .map(({ path, source }) => ({ path, lines: source.split("\n").length }))
    .filter(({ lines }) => lines > LONGEST_SOURCE);
  assert.deepEqual(long, []);
});

Deno.test("no test is skipped or run alone by accident", async () => {
  const wrong = (await all("_test.ts")).filter(({ path, source }) =>
    path !== "tests/guards/layout_test.ts" && /Deno\.test\.(only|ignore)|\bonly: true/.test(source)
  ).map(({ path }) => path);
  assert.deepEqual(wrong, []);
});

Deno.test("every SQL function of the schemas fixes its search_path", async () => {
  const sources = await sourceFiles("supabase/schemas", ".sql");
  assert.ok(sources.length > 0);
  const wrong = sources.flatMap(({ path, source }) =>
    functionsWithoutPath(source).map((name) => `${path}: ${name}`)
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    functionsWithoutPath("create function a.b() returns int language sql as $$ select 1 $$;"),
    ["a.b"],
  );
});

/** A function's header ends where its body begins (`as $$` or `begin atomic`). */
function functionsWithoutPath(source: string): string[] {
  const headers = source.matchAll(
    /create (?:or replace )?(?:function|procedure)\s+([\w.]+)([\s\S]*?)(?:\bas \$|begin atomic)/gi,
  );
  return [...headers].filter(([, , header]) => !/set search_path\s*(=|to)\s*''/i.test(header!)).map((
    [, name],
  ) => name!);
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
