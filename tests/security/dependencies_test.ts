/** What is shipped and run is what was looked at: exact versions, the same everywhere, with checksums. */
import assert from "node:assert/strict";
import { sourceFiles } from "../guards/source_files.ts";

const ROOT = new URL("../../", import.meta.url);

// deno-lint-ignore no-explicit-any
const json = async (path: string): Promise<any> => JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));

const PACKAGE = await json("package.json");
const LOCK = await json("package-lock.json");
const FUNCTION = await json("supabase/functions/backup/deno.json");

const EXACT = /^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
Deno.test("package.json names exact versions, and the lock file has the same", () => {
  const lists = ["dependencies", "devDependencies"] as const;
  const named = lists.flatMap((list) => Object.entries<string>(PACKAGE[list]));
  assert.ok(named.length > 10);
  for (const [name, version] of named) {
    assert.match(version, EXACT, name);
    const locked = LOCK.packages[`node_modules/${name}`];
    assert.equal(locked?.version, version.replace(/^npm:.*@/, ""), `${name} in package-lock.json`);
  }
  assert.doesNotMatch("^1.2.3", EXACT);
});

Deno.test("the deployed function imports packages of the lock file, in the same versions", () => {
  const imports = Object.entries<string>(FUNCTION.imports);
  assert.ok(imports.length >= 2);
  for (const [name, specifier] of imports) {
    const [, found, version] =
      /^npm:((?:@[\w-]+\/)?[\w.-]+)@(\d+\.\d+\.\d+)(?:\/[\w./-]+)?$/.exec(specifier) ?? [];
    assert.ok(
      found !== undefined && name.startsWith(found),
      `${name}: ${specifier} is an exact version of itself`,
    );
    assert.equal(version, LOCK.packages[`node_modules/${found}`]?.version, `${found} in package-lock.json`);
    assert.equal(version, PACKAGE.dependencies[found] ?? version, `${found} in package.json`);
  }
});

Deno.test("nothing is loaded from an address", async () => {
  const sources =
    (await Promise.all(["supabase/functions", "stack", "cli"].map((folder) => sourceFiles(folder)))).flat();
  const foreign = sources.flatMap(({ path, source }) =>
    [...source.matchAll(/^(?:import|export)[^"'=]*["'](https?:|jsr:|npm:)[^"']*["']/gm)].map(([line]) =>
      `${path}: ${line}`
    )
  );
  assert.deepEqual(foreign, []);
});

Deno.test("every package in the lock file has a checksum, but for binaries of other machines than the one that wrote it", () => {
  const packages = Object.entries<{ integrity?: string; optional?: boolean }>(LOCK.packages)
    .filter(([path]) => path !== "");
  assert.ok(packages.length > 50);
  const without = packages.filter(([, { integrity, optional }]) =>
    !/^sha512-/.test(integrity ?? "") && !optional
  );
  assert.deepEqual(without, []);
});
