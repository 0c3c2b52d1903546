/** Brings PostgreSQL with pg_cron and pgTAP onto a machine that may be changed; otherwise says how to. */
import { findBinaries, hasExtension, OLDEST_MAJOR, packagedBinaries } from "./binaries.ts";
import { INSTALLABLE_MAJORS, installServer } from "./releases.ts";

/** What new projects run. */
export const USUAL_MAJOR = 17;

/** Looking for programs starts programs, and tests start hundreds of clusters. */
let installed: Promise<string> | undefined;

/**
 * Returns the folder of a server that has pg_cron, after installing what is missing where this process is root on
 * Debian or Ubuntu. Throws with the command to type where it is not.
 */
export function installPostgres(): Promise<string> {
  return installed ??= findOrInstall();
}

/**
 * Returns the folder of the programs of a major version with pg_cron: the machine's own packages where they have it,
 * else those of a newer release of Debian (releases.ts). Throws with the reason where the version cannot be had.
 */
export async function serverOf(major: number): Promise<string> {
  const packaged = packagedBinaries(major);
  return await hasExtension(packaged, "pg_cron") ? packaged : await installServer(major);
}

/**
 * Makes this process start servers of a major version, after installing the machine's packages where they are of it.
 * Throws with the reason where it cannot be had.
 */
export async function usePostgres(major: number): Promise<void> {
  const isPackaged = () => hasExtension(packagedBinaries(major), "pg_cron");
  if (!INSTALLABLE_MAJORS.includes(major) && !await isPackaged() && await packagedMajor() === major) {
    await installPackages(packagesOf(major));
  }
  Deno.env.set("PG_BIN", await serverOf(major));
}

/**
 * Makes this process start servers of the version that new projects run, unless PG_BIN names others. Where that version
 * cannot be had it says so, and the machine's own are started.
 */
export async function useUsualPostgres(): Promise<void> {
  if (Deno.env.get("PG_BIN")) return;
  try {
    await usePostgres(USUAL_MAJOR);
  } catch (error) {
    console.error(`${(error as Error).message}. This machine's own server is used.`);
  }
}

async function findOrInstall(): Promise<string> {
  const named = Deno.env.get("PG_BIN");
  if (named && await hasExtension(named, "pg_cron")) return named;
  const found = await complete();
  if (found !== null) return found;
  const major = await packagedMajor();
  const packages = packagesOf(major ?? OLDEST_MAJOR);
  if (major === null || Deno.uid() !== 0) throw new Error(missing(packages));
  await installPackages(packages);
  const installed = await complete();
  if (installed === null) throw new Error(missing(packages));
  return installed;
}

async function installPackages(packages: string[]): Promise<void> {
  console.error(`Installing ${packages.join(", ")} …`);
  // postgresql-common would create and start a cluster of its own.
  await Deno.mkdir("/etc/postgresql-common/createcluster.d", { recursive: true });
  await Deno.writeTextFile(
    "/etc/postgresql-common/createcluster.d/no-main.conf",
    "create_main_cluster = false\n",
  );
  await apt("update", "-qq");
  await apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
}

async function complete(): Promise<string | null> {
  const binaries = await findBinaries();
  if (binaries === null) return null;
  const has = await Promise.all(["pg_cron", "pgtap"].map((extension) => hasExtension(binaries, extension)));
  return has.every(Boolean) && await runs("pg_prove", "--version") ? binaries : null;
}

function packagesOf(major: number): string[] {
  return [
    `postgresql-${major}`,
    `postgresql-${major}-cron`,
    `postgresql-${major}-pgtap`,
    "libtap-parser-sourcehandler-pgtap-perl",
  ];
}

/** The major version that the distribution packages (`postgresql` depends on it), or null without apt. */
async function packagedMajor(): Promise<number | null> {
  if (!await runs("apt-get", "--version")) return null;
  if (Deno.uid() === 0) await apt("update", "-qq");
  const { stdout } = await new Deno.Command("apt-cache", { args: ["depends", "postgresql"] }).output();
  const major = Number(new TextDecoder().decode(stdout).match(/postgresql-(\d+)/)?.[1] ?? 0);
  return major >= OLDEST_MAJOR ? major : null;
}

async function apt(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("apt-get", {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`apt-get ${args[0]} failed: ${new TextDecoder().decode(stderr).trim()}`);
}

async function runs(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

function missing(packages: string[]): string {
  return `PostgreSQL ${OLDEST_MAJOR} or later with pg_cron and pgTAP was not found on this machine.\n` +
    `Debian or Ubuntu: sudo apt-get install ${packages.join(" ")}\n` +
    "Elsewhere: install them and set PG_BIN to the folder that holds initdb.";
}

if (import.meta.main) {
  try {
    // At once: each waits for downloads.
    await Promise.all([installPostgres(), installServer(USUAL_MAJOR).catch(() => {})]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
