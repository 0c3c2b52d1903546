/** Where PostgreSQL is on this machine. */
import { exists, run } from "./programs.ts";

/** Debian's folder of servers, one folder a major version. */
const DEBIAN_SERVERS = "/usr/lib/postgresql";

/** Oldest server the stack starts: hosted projects are on 15 or later. */
export const OLDEST_MAJOR = 15;

/**
 * The folder with `initdb`, `postgres`, `pg_dump`, `pg_restore` of the oldest server from OLDEST_MAJOR on
 * (what hosted projects run is nearest to it), or null. `PG_BIN` names one explicitly.
 */
export async function findBinaries(): Promise<string | null> {
  const named = Deno.env.get("PG_BIN");
  if (named) return named;
  for (const major of await installedMajors()) {
    const binaries = packagedBinaries(major);
    if (await exists(`${binaries}/initdb`) && await exists(`${binaries}/postgres`)) return binaries;
  }
  return await fromPath();
}

/** Returns where the machine's own packages put the programs of a major version. */
export function packagedBinaries(major: number): string {
  return `${DEBIAN_SERVERS}/${major}/bin`;
}

/** Returns the major version of the server in `binaries`. */
export async function majorOf(binaries: string): Promise<number> {
  return Number((await run(`${binaries}/postgres`, ["--version"])).match(/ (\d+)/)![1]);
}

/** Returns whether the server in `binaries` has an extension's control file. */
export async function hasExtension(binaries: string, extension: string): Promise<boolean> {
  const shared = await output(`${binaries}/pg_config`, "--sharedir") ?? await debianShare(binaries);
  return shared !== null && await exists(`${shared}/extension/${extension}.control`);
}

async function installedMajors(): Promise<number[]> {
  try {
    const folders = await Array.fromAsync(Deno.readDir(DEBIAN_SERVERS), ({ name }) => Number(name));
    return folders.filter((major) => major >= OLDEST_MAJOR).sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** A server outside Debian's folders, when `pg_config` on the PATH tells of one that is new enough. */
async function fromPath(): Promise<string | null> {
  const binaries = await output("pg_config", "--bindir");
  const version = await output("pg_config", "--version");
  const major = Number(version?.match(/(\d+)/)?.[1] ?? 0);
  return binaries !== null && major >= OLDEST_MAJOR && await exists(`${binaries}/initdb`) ? binaries : null;
}

/** Debian ships the version's own pg_config with the development package only. */
async function debianShare(binaries: string): Promise<string | null> {
  const [, root, major] = binaries.match(/^(.*)\/lib\/postgresql\/(\d+)\/bin$/) ?? [];
  const share = `${root}/share/postgresql/${major}`;
  return major && await exists(share) ? share : null;
}

async function output(command: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}
