/** Brings PostgreSQL with pg_cron and pgTAP onto a machine that may be changed; otherwise says how to. */
import { findBinaries, hasExtension, OLDEST_MAJOR } from "./binaries.ts";

/**
 * Answers the folder of a server that has pg_cron, after installing what is missing when this is root on Debian or
 * Ubuntu. Throws with the command to type when it is not.
 */
export async function installPostgres(): Promise<string> {
  const found = await complete();
  if (found !== null) return found;
  const major = await packagedMajor();
  const packages = packagesOf(major ?? OLDEST_MAJOR);
  if (major === null || Deno.uid() !== 0) throw new Error(missing(packages));
  console.error(`Installing ${packages.join(", ")} …`);
  // postgresql-common would create and start a cluster of its own: nobody here asked for one.
  await Deno.mkdir("/etc/postgresql-common/createcluster.d", { recursive: true });
  await Deno.writeTextFile(
    "/etc/postgresql-common/createcluster.d/no-main.conf",
    "create_main_cluster = false\n",
  );
  await apt("update", "-qq");
  await apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
  const installed = await complete();
  if (installed === null) throw new Error(missing(packages));
  return installed;
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
    await installPostgres();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
