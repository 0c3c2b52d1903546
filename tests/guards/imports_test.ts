/** Stages of the function import from themselves and from earlier stages only. */
import assert from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";
import { sourceFiles } from "./source_files.ts";

const FUNCTION = "supabase/functions/backup";

/** In the order of the flow; docs/design.md has the same table. */
const STAGES = [
  "errors.ts",
  "toc/entry.ts",
  "postgres",
  "catalog",
  "toc",
  "archive",
  "slices",
  "encryption",
  "storage",
  "manifest",
  "run",
  "rotation",
  "alerts",
  "copy",
  "worker",
  "pipeline.ts",
  "caller.ts",
  "isolate.ts",
  "index.ts",
];

interface Import {
  file: string;
  target: string;
}

/** Relative imports of a TypeScript source: `import … from "./x"`, `export … from "./x"`, `import("./x")`. */
function importsOf(file: string, source: string): Import[] {
  const specifiers = source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g);
  return [...specifiers].map(([, specifier]) => ({
    file,
    target: normalize(join(dirname(file), specifier!)),
  }));
}

/** Position of a file's stage in the flow; a more exact name (`toc/entry.ts`) wins over its folder. */
function stageOf(path: string): number {
  const inner = relative(FUNCTION, path);
  const exact = STAGES.indexOf(inner);
  return exact >= 0 ? exact : STAGES.indexOf(inner.split("/")[0]!);
}

function wrongImports(files: { path: string; source: string }[]): string[] {
  return files.flatMap(({ path, source }) => importsOf(path, source)).filter(({ file, target }) => {
    if (!target.startsWith(`${FUNCTION}/`)) return true;
    return stageOf(target) < 0 || stageOf(target) > stageOf(file);
  }).map(({ file, target }) => `${file} imports ${target}`);
}

Deno.test("no stage of the function imports from a later one or from outside", async () => {
  const files = await sourceFiles(FUNCTION);
  assert.ok(files.length > 10, "the function's source was found");
  for (const { path } of files) assert.ok(stageOf(path) >= 0, `${path} belongs to a stage`);
  assert.deepEqual(wrongImports(files), []);
});

Deno.test("the guard sees an import of a later stage and one from outside", () => {
  const path = `${FUNCTION}/archive/header.ts`;
  const source = `import { a } from "../run/claim.ts";\nimport { b } from "../../../../stack/stack.ts";`;
  assert.equal(wrongImports([{ path, source }]).length, 2);
});

Deno.test("the product does not know its tests, its tools or its stack", async () => {
  const product = [...await sourceFiles("cli"), ...await sourceFiles("stack")];
  const wrong = product.flatMap(({ path, source }) => importsOf(path, source))
    .filter(({ target }) => target.startsWith("tests/") || target.startsWith("bench/"));
  assert.deepEqual(wrong, []);
});
