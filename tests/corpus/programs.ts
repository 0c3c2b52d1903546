/** PostgreSQL's own programs, run against the corpus' cluster. */
import type { Cluster } from "../../stack/postgres/cluster.ts";

/** Answers standard output. Throws with what the program said when it fails. */
export async function runProgram(cluster: Cluster, program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${cluster.binDir}/${program}`, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr).trim()}`);
  // Data of SQL_ASCII databases are no UTF-8; one character a byte keeps every difference.
  return new TextDecoder("latin1").decode(stdout);
}

export async function runSql(cluster: Cluster, statement: string): Promise<void> {
  await runProgram(cluster, "psql", ["-X", "-q", "-d", cluster.url(), "-c", statement]);
}

export async function loadFile(cluster: Cluster, database: string, path: string): Promise<void> {
  const options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", cluster.url(database)];
  await runProgram(cluster, "psql", [...options, "-f", path]);
}

/** In UTF8 is what we write; only SQL_ASCII cannot be converted, being no encoding at all. */
export interface Encoded {
  encoding: string;
}

function dumpOptions({ encoding }: Encoded): string[] {
  return encoding === "SQL_ASCII" ? [] : ["--encoding=UTF8"];
}

export async function dumpArchive(
  cluster: Cluster,
  database: string,
  path: string,
  encoded: Encoded = { encoding: "UTF8" },
): Promise<void> {
  await runProgram(cluster, "pg_dump", [
    ...dumpOptions(encoded),
    "-Fc",
    "-f",
    path,
    "-d",
    cluster.url(database),
  ]);
}

export async function dumpScript(cluster: Cluster, database: string, encoded: Encoded): Promise<string> {
  return await runProgram(cluster, "pg_dump", [...dumpOptions(encoded), "-d", cluster.url(database)]);
}

export async function archiveScript(cluster: Cluster, path: string): Promise<string> {
  return await runProgram(cluster, "pg_restore", ["-f", "-", path]);
}

export async function restoreArchive(cluster: Cluster, path: string, database: string): Promise<void> {
  await runProgram(cluster, "pg_restore", ["--exit-on-error", "-d", cluster.url(database), path]);
}
