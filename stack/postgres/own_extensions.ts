/**
 * A server with extensions of our own, for one cluster and without a change to the machine: its program is copied into
 * the cluster's folder, where it looks for its files beside itself, and all else there is a link to the machine's.
 */
import { basename, dirname, join } from "node:path";

export interface OwnExtensions {
  /** Control files and scripts of `share/extension`, by name. */
  files: Record<string, string>;
  /** Extensions of the machine that somebody without superuser may create, as the platform's own module allows it. */
  trusted: string[];
  /** Names of modules that a server may be told to load, and that do nothing. */
  modules: string[];
}

/** Loads everywhere and does nothing before a function of it is called. */
const HARMLESS_MODULE = "plpgsql.so";

/**
 * Makes the server in `${dir}/server` and returns the path of its program. Throws where the machine's server is not
 * laid out as Debian's are, or as one folder with bin, share and lib.
 */
export async function makeServer(
  binDir: string,
  dir: string,
  { files, trusted, modules }: OwnExtensions,
): Promise<string> {
  const server = join(dir, "server");
  const { root, bin, share, lib } = await layoutOf(binDir);
  const program = join(server, bin, "postgres");
  await Deno.remove(server, { recursive: true }).catch(() => {});
  for (const folder of [bin, join(share, "extension"), lib]) {
    await Deno.mkdir(join(server, folder), { recursive: true });
  }
  await Deno.copyFile(join(root, bin, "postgres"), program);
  await linkAll(join(root, share), join(server, share));
  await linkAll(join(root, share, "extension"), join(server, share, "extension"));
  await linkAll(join(root, lib), join(server, lib));
  const extensions = join(server, share, "extension");
  const write = async (name: string, text: string) => {
    // Not through a link into the machine's own.
    await Deno.remove(join(extensions, name)).catch(() => {});
    await Deno.writeTextFile(join(extensions, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  for (const name of trusted.map((name) => `${name}.control`)) {
    if (!await exists(join(extensions, name))) continue;
    await write(name, `${await Deno.readTextFile(join(extensions, name))}\ntrusted = true\n`);
  }
  for (const name of modules) {
    const path = join(server, lib, `${name}.so`);
    if (!await exists(path)) await Deno.symlink(join(root, lib, HARMLESS_MODULE), path);
  }
  await run("chmod", "-R", "a+rX", server);
  await run("chmod", "a+x", program);
  return program;
}

/** Returns where a server's files are below their root: it finds them by the way from its program to them. */
async function layoutOf(binDir: string): Promise<{ root: string; bin: string; share: string; lib: string }> {
  const [, root, major] = binDir.match(/^(.*)\/lib\/postgresql\/(\d+)\/bin$/) ?? [];
  if (root !== undefined) {
    const [share, lib] = [`share/postgresql/${major}`, `lib/postgresql/${major}/lib`];
    return { root, bin: `lib/postgresql/${major}/bin`, share, lib };
  }
  const layout = { root: dirname(binDir), bin: basename(binDir), share: "share", lib: "lib" };
  if (await exists(join(layout.root, "share/extension"))) return layout;
  throw new Error(
    `Cannot add extensions to the server in ${binDir}: its extensions are not where Debian has them`,
  );
}

async function linkAll(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    if (!await exists(join(to, name))) await Deno.symlink(join(from, name), join(to, name));
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
