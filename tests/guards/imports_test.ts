/**
 * Stages of the function and of the command line import from themselves and from earlier stages only, and no files
 * import each other in a circle.
 */
import assert from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";
import { sourceFiles } from "./source_files.ts";

const FUNCTION = "supabase/functions/backup";

/** In the order of the flow; docs/design.md has the same table. */
const STAGES = [
  "version.ts",
  "errors.ts",
  "log.ts",
  "visible_text.ts",
  "entry.ts",
  "budget.ts",
  "turn.ts",
  "postgres",
  "catalog",
  "toc",
  "archive",
  "restore",
  "slices",
  "encryption",
  "storage",
  "manifest",
  "restore_guide",
  "restore_plan",
  "compare",
  "inspect",
  "run",
  "rotation",
  "alerts",
  "copy",
  "inside",
  "worker",
  "pipeline.ts",
  "caller.ts",
  "isolate.ts",
  "environment.ts",
  "answers.ts",
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

/** Position of a file's stage in the flow; a file at the top is a stage of its own. */
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

const CLI = "cli";

/** Floors of the command line and of the stack, each above those that it may import from. */
const FLOORS: Record<string, string[][]> = {
  [CLI]: [
    ["terminal", "project"],
    ["install"],
    ["source", "target", "dump"],
    ["plan", "verify"],
    ["restore"],
    ["compare", "inspect"],
    ["page"],
    ["commands"],
    ["main.ts"],
  ],
  stack: [
    ["certificates.ts"],
    ["config.ts", "keys.ts", "parent.ts", "started.ts", "postgres", "net", "storage"],
    ["status.ts", "migrations.ts", "functions", "gateway"],
    ["stack.ts"],
    ["main.ts"],
  ],
};

/** The first folder or file below the building's: what stands on a floor. */
function partOf(path: string): string {
  return path.split("/")[1]!;
}

function floorOf(path: string): number {
  return FLOORS[path.split("/")[0]!]!.findIndex((floor) => floor.includes(partOf(path)));
}

/**
 * Imports of a floor above, or of another part that is not an earlier one. Parts of one floor do not know each other,
 * but the terminal is everybody's.
 */
function wrongFloors(files: { path: string; source: string }[]): string[] {
  return files.flatMap(({ path, source }) => importsOf(path, source)).filter(({ file, target }) => {
    if (target.split("/")[0] !== file.split("/")[0]) return false;
    if (partOf(file) === partOf(target) || partOf(target) === "terminal") return false;
    return floorOf(target) < 0 || floorOf(target) >= floorOf(file);
  }).map(({ file, target }) => `${file} imports ${target}`);
}

Deno.test("no floor of the command line or of the stack imports from one above", async () => {
  const files = (await Promise.all(Object.keys(FLOORS).map((folder) => sourceFiles(folder)))).flat();
  assert.ok(files.length > 40, "the sources were found");
  for (const { path } of files) assert.ok(floorOf(path) >= 0, `${path} belongs to a floor`);
  assert.deepEqual(wrongFloors(files), []);
  const upwards = { path: "cli/plan/a.ts", source: 'import { b } from "../commands/b.ts";' };
  const beside = { path: "cli/source/a.ts", source: 'import { b } from "../target/b.ts";' };
  const inTheStack = { path: "stack/net/a.ts", source: 'import { b } from "../stack.ts";' };
  assert.equal(wrongFloors([upwards, beside, inTheStack]).length, 3);
});

/** Files that import each other, by way of others or at once; each such circle once. */
function circles(files: { path: string; source: string }[]): string[][] {
  const imports = new Map(
    files.map(({ path, source }) => [path, importsOf(path, source).map(({ target }) => target)]),
  );
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, way: string[]) => {
    const begin = way.indexOf(path);
    if (begin >= 0) found.push(way.slice(begin));
    if (begin >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

Deno.test("no files import each other in a circle", async () => {
  const folders = [CLI, "stack", "build", FUNCTION];
  const files = (await Promise.all(folders.map((folder) => sourceFiles(folder)))).flat();
  assert.deepEqual(circles(files), []);
  const circle = [
    { path: "a/b.ts", source: 'import { c } from "./c.ts";' },
    { path: "a/c.ts", source: 'import type { d } from "./d.ts";' },
    { path: "a/d.ts", source: 'export { b } from "./b.ts";' },
  ];
  assert.deepEqual(circles(circle), [["a/b.ts", "a/c.ts", "a/d.ts"]]);
});

Deno.test("the product does not know its tests, its tools or its stack", async () => {
  const product = [...await sourceFiles("cli"), ...await sourceFiles("stack")];
  const wrong = product.flatMap(({ path, source }) => importsOf(path, source))
    .filter(({ target }) => target.startsWith("tests/") || target.startsWith("bench/"));
  assert.deepEqual(wrong, []);
});
