/** Which worker's process is at the other end of a session of the database? The system knows: who owns the socket. */
import type { Sql } from "postgres";
import type { WorkerInfo } from "../../stack/functions/functions.ts";

/** The worker whose connection the backend serves; null when there is none any more. */
export async function workerOf(sql: Sql, backend: number, workers: WorkerInfo[]): Promise<WorkerInfo | null> {
  const [row] = await sql<{ port: number | null }[]>`
    select client_port as port from pg_stat_activity where pid = ${backend}`;
  if (!row?.port) return null;
  const inode = socketOn(row.port);
  return workers.find(({ pid, state }) => state !== "ended" && inode !== null && owns(pid, inode)) ?? null;
}

/** Inode of the established connection that leaves from this port of this machine. */
function socketOn(port: number): string | null {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    Deno.readTextFileSync(path).split("\n")
  );
  const line = lines.map((text) => text.trim().split(/\s+/)).find((fields) =>
    fields[1]?.endsWith(`:${hex}`) && fields[3] === "01"
  );
  return line?.[9] ?? null;
}

function owns(pid: number, inode: string): boolean {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      if (Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === `socket:[${inode}]`) return true;
    }
  } catch { /* it ended, or closed the file meanwhile */ }
  return false;
}
