/** The npm packages of a function: which ones it imports, and where they are. */
import { dirname, join } from "node:path";

/** What is loaded when a program runs; a package's types, sources and documents are not. */
const LOADED = /\.(js|mjs|cjs|json|wasm|node)$/;

/** Returns the nearest `node_modules` at or above `folder`; null where there is none. */
export async function nearestPackages(folder: string): Promise<string | null> {
  for (let at = folder;; at = dirname(at)) {
    const candidate = join(at, "node_modules");
    if (await exists(candidate)) return candidate;
    if (at === dirname(at)) return null;
  }
}

/**
 * Returns the name of the package behind a specifier, by the `imports` of the function's deno.json (a key that ends
 * with `/` stands for all that begin with it); null for what is not a package.
 */
export function packageOf(specifier: string, imports: Record<string, string>): string | null {
  const key =
    Object.keys(imports).filter((key) =>
      key === specifier || (key.endsWith("/") && specifier.startsWith(key))
    ).sort((a, b) => b.length - a.length)[0];
  const target = key === undefined ? specifier : imports[key]! + specifier.slice(key.length);
  const [, name] = target.match(/^(?:npm:\/?)?((?:@[^/:]+\/)?[^@/:.][^@/:]*)(?:[@/].*)?$/) ?? [];
  return name ?? null;
}

/**
 * Copies what runs of the packages, and of all that they depend on, into a folder's node_modules. Each is looked for in
 * every `node_modules` at or above `from`, as Node does, since npm puts some of a package's dependencies below it. The
 * folder's package.json names them all: without it Deno does not find them.
 */
export async function copyPackages(names: string[], from: string, folder: string): Promise<void> {
  const dependencies: Record<string, string> = {};
  const copy = async (name: string, from: string): Promise<void> => {
    const source = await installedAt(name, from);
    // A package that is missing is for the runtime to name.
    if (name in dependencies || source === null) return;
    const manifest = JSON.parse(await Deno.readTextFile(join(source, "package.json")));
    dependencies[name] = manifest.version;
    await copyLoaded(source, join(folder, "node_modules", name));
    for (const needed of Object.keys(manifest.dependencies ?? {})) await copy(needed, source);
  };
  for (const name of names) await copy(name, from);
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ dependencies }));
}

async function installedAt(name: string, folder: string): Promise<string | null> {
  for (let at = folder;; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (await exists(candidate)) return candidate;
    if (at === dirname(at)) return null;
  }
}

async function copyLoaded(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyLoaded(join(from, name), join(to, name));
    else if (LOADED.test(name)) await Deno.copyFile(join(from, name), join(to, name));
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
