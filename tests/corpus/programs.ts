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

/** UTF8 is what we write, whatever the server's encoding. */
const DUMP_OPTIONS = ["--encoding=UTF8"];

export async function dumpArchive(cluster: Cluster, database: string, path: string): Promise<void> {
  await runProgram(cluster, "pg_dump", [...DUMP_OPTIONS, "-Fc", "-f", path, "-d", cluster.url(database)]);
}

export async function dumpScript(cluster: Cluster, database: string): Promise<string> {
  return await runProgram(cluster, "pg_dump", [...DUMP_OPTIONS, "-d", cluster.url(database)]);
}

export async function archiveScript(cluster: Cluster, path: string): Promise<string> {
  return await runProgram(cluster, "pg_restore", ["-f", "-", path]);
}

export async function restoreArchive(cluster: Cluster, path: string, database: string): Promise<void> {
  await runProgram(cluster, "pg_restore", ["--exit-on-error", "-d", cluster.url(database), path]);
}
