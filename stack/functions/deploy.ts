/**
 * Deploys a function as the platform does: its own files become one module, in a folder that holds nothing else but its
 * import map and its packages. Workers read that folder only, so the checkout may be closed to their account.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { exists } from "../postgres/programs.ts";
import { templateOf } from "../postgres/templates.ts";
import { copyPackages, nearestPackages, packageOf } from "./packages.ts";

export interface DeployedFunction {
  name: string;
  /** Folder of `index.js`, `bootstrap.js` and what they need. */
  folder: string;
  /** Size of its sources. */
  bytes: number;
}

/** Folder of deployments that several stacks use, since they only read them; each has its own without it. */
const SHARED = Deno.env.get("STACK_DEPLOYMENTS");

/** What esbuild tells of its outputs. */
interface Report {
  outputs: Record<string, { imports: { path: string }[] }>;
}

const ESBUILD = join(dirname(createRequire(import.meta.url).resolve("esbuild/package.json")), "bin/esbuild");

/** Bundled with every function: what gives it the platform's surroundings. */
const BOOTSTRAP = ["bootstrap", "control"].map((name) =>
  // From the package they are JavaScript, as this file is.
  join(import.meta.dirname!, name + extname(import.meta.url))
);

/**
 * Deploys the function of that name to a folder below `target`. Null when there is none. Throws with esbuild's message
 * when its sources are not a module.
 */
export async function deployFunction(
  functionsDir: string,
  name: string,
  target: string,
): Promise<DeployedFunction | null> {
  // A name that begins with `_` is a folder of shared code.
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return null;
  const source = join(functionsDir, name);
  if (!await exists(join(source, "index.ts"))) return null;
  const make = (folder: string) => bundle(source, folder);
  const key = [
    "function",
    name,
    await contentHash(functionsDir),
    await packagesHash(functionsDir),
    ...await Promise.all(BOOTSTRAP.map((file) => Deno.readTextFile(file))),
  ];
  const folder = SHARED ? await templateOf(SHARED, key, make) : join(target, name);
  if (!SHARED) await make(folder);
  return { name, folder, bytes: await sizeOf(source) };
}

async function bundle(source: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const report = join(folder, "esbuild.json");
  const { success, stderr } = await new Deno.Command(ESBUILD, {
    args: [
      `index=${join(source, "index.ts")}`,
      `bootstrap=${BOOTSTRAP[0]}`,
      `--outdir=${folder}`,
      "--bundle",
      "--format=esm",
      "--platform=neutral",
      "--charset=utf8",
      "--log-level=warning",
      // As the platform transpiles it: its engine knows no `using` yet.
      "--target=es2022",
      // Packages stay packages: the runtime resolves them by the import map, as on the platform.
      "--packages=external",
      `--metafile=${report}`,
    ],
    cwd: source,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  const { outputs }: Report = JSON.parse(await Deno.readTextFile(report));
  let imports: Record<string, string> = {};
  const config = join(source, "deno.json");
  if (await exists(config)) {
    imports = JSON.parse(await Deno.readTextFile(config)).imports ?? {};
    await Deno.copyFile(config, join(folder, "deno.json"));
  }
  const names = Object.values(outputs).flatMap((output) => output.imports)
    .map(({ path }) => packageOf(path, imports)).filter((name) => name !== null);
  await copyPackages([...new Set(names)], source, folder);
  await openToAll(folder);
}

/** Whatever the umask and the modes of the sources are. */
async function openToAll(path: string): Promise<void> {
  const { isDirectory } = await Deno.stat(path);
  await Deno.chmod(path, isDirectory ? 0o755 : 0o644);
  if (!isDirectory) return;
  for await (const { name } of Deno.readDir(path)) await openToAll(join(path, name));
}

/** Of all functions, since they may share code. */
async function contentHash(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const add = async (path: string): Promise<void> => {
    const entries = (await Array.fromAsync(Deno.readDir(path))).sort((a, b) => a.name < b.name ? -1 : 1);
    for (const { name, isDirectory, isFile } of entries) {
      if (isDirectory) await add(join(path, name));
      else if (isFile) hash.update(`${join(path, name)}\0`).update(await Deno.readFile(join(path, name)));
    }
  };
  await add(folder);
  return hash.digest("hex");
}

/** npm's own list of what is installed. */
async function packagesHash(folder: string): Promise<string> {
  const packages = await nearestPackages(folder);
  if (packages === null) return "";
  return await Deno.readTextFile(join(packages, ".package-lock.json")).catch(() => packages);
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return size;
}
