/**
 * `npm run build`: makes dist/, which the package ships beside its launcher. Each TypeScript file becomes JavaScript at
 * the same place, because Deno does not strip types below node_modules. What the programs read as files is copied: SQL,
 * and the function's own sources, which are installed into a project. The page is one script and one style.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stop, transform } from "esbuild";
import { bundlePage } from "../cli/page/bundle.ts";

const ROOT = fileURLToPath(import.meta.resolve("../"));
const DIST = join(ROOT, "dist");

/** Folders of programs. The tests' stack stays out, but for what `demo` starts. */
const PROGRAMS = ["cli", "stack", "supabase/functions/backup"];

/** Runs in the browser: bundled. */
const BROWSER = "/cli/page/browser/";

/** Read as they are. */
const FILES = [
  "CHANGELOG.md",
  "examples",
  "stack",
  "supabase/config.toml",
  "supabase/functions/backup",
  "supabase/migrations",
];

/** Makes dist/ anew. Throws with esbuild's words when a file is not TypeScript. */
export async function buildPackage(): Promise<void> {
  await Deno.remove(DIST, { recursive: true }).catch(() => {});
  try {
    for (const folder of PROGRAMS) {
      for (const path of await filesOf(join(ROOT, folder))) {
        if (path.endsWith(".ts") && !path.includes(BROWSER)) await compile(path);
      }
    }
    const { script, style } = await bundlePage();
    await Deno.writeTextFile(join(DIST, "cli/page/page.js"), script);
    await Deno.writeTextFile(join(DIST, "cli/page/page.css"), style);
  } finally {
    await stop();
  }
  for (const name of FILES) {
    for (const path of await filesOf(join(ROOT, name))) {
      if (!path.endsWith(".ts") || name.includes("functions")) await copy(path);
    }
  }
}

/** Of every import the file's name changes with the file. */
async function compile(path: string): Promise<void> {
  const target = join(DIST, relative(ROOT, path).replace(/\.ts$/, ".js"));
  const { code } = await transform(await Deno.readTextFile(path), {
    loader: "ts",
    format: "esm",
    target: "es2023",
    charset: "utf8",
    sourcefile: relative(dirname(target), path),
  });
  await Deno.mkdir(dirname(target), { recursive: true });
  await Deno.writeTextFile(target, code.replace(RELATIVE_IMPORT, '$1"$2.js"'));
}

/**
 * As esbuild prints them: `from "./a.ts"`, `import "./a.ts"`, `import("./a.ts")`, also of URLs that the programs load.
 */
const RELATIVE_IMPORT = /(\b(?:from|import)\s*\(?\s*)"(\.{1,2}\/[^"\n]+)\.ts"/g;

async function copy(path: string): Promise<void> {
  const target = join(DIST, relative(ROOT, path));
  await Deno.mkdir(dirname(target), { recursive: true });
  await Deno.copyFile(path, target);
}

/** Returns the files below a folder, or the file itself. */
async function filesOf(path: string): Promise<string[]> {
  if (!(await Deno.stat(path)).isDirectory) return [path];
  const found: string[] = [];
  for await (const { name } of Deno.readDir(path)) found.push(...await filesOf(join(path, name)));
  return found.sort();
}

if (import.meta.main) await buildPackage();
