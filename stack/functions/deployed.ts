/** A function as its folder says it is. */
import { dirname, join } from "node:path";

export interface DeployedFunction {
  name: string;
  /** Path of its index.ts. */
  entrypoint: string;
  /** Options of `deno run`: its import map, and what it may do. */
  flags: string[];
  /** Size of its folder. */
  bytes: number;
}

/** The function of that name; null when there is none. */
export async function findFunction(functionsDir: string, name: string): Promise<DeployedFunction | null> {
  // A name that begins with `_` is a folder of shared code.
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return null;
  const folder = join(functionsDir, name);
  const entrypoint = join(folder, "index.ts");
  if (!await exists(entrypoint)) return null;
  const config = join(folder, "deno.json");
  const flags = [
    ...(await exists(config) ? ["--config", config] : ["--no-config"]),
    // Packages come from the project's own node_modules: nothing is loaded from the network.
    "--node-modules-dir=manual",
    "--no-lock",
    "--no-prompt",
    "--quiet",
    // As the hosted runtime: no subprocess, no foreign libraries, and the disk for scratch files only.
    "--allow-env",
    "--allow-net",
    "--allow-sys=hostname",
    `--allow-read=${[functionsDir, "/tmp", ...await nodeModules(functionsDir)].join(",")}`,
    "--allow-write=/tmp",
  ];
  return { name, entrypoint, flags, bytes: await sizeOf(folder) };
}

/** Path of the nearest `node_modules` upwards, and where it really is; none without packages. */
export async function nodeModules(folder: string): Promise<string[]> {
  const candidate = join(folder, "node_modules");
  if (await exists(candidate)) return [candidate, await Deno.realPath(candidate)];
  return folder === "/" ? [] : await nodeModules(dirname(folder));
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return size;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
