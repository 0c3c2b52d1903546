/** A backup on the stack, followed to its end, and the isolates that made it. */
import type { Sql } from "postgres";
import type { WorkerInfo } from "../stack/functions/functions.ts";
import type { Stack } from "../stack/stack.ts";

export interface BackupRun {
  /** The row of the log. */
  row: Record<string, unknown>;
  wallSeconds: number;
  isolates: WorkerInfo[];
}

/** Throws when the run does not succeed. */
export async function backUp(stack: Stack, sql: Sql): Promise<BackupRun> {
  const before = new Set(stack.functions.workers().map(({ id }) => id));
  const begin = performance.now();
  const [started] = await sql<{ id: number }[]>`select backup.start('manual')::int as id`;
  let row: Record<string, unknown>;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [found] = await sql<{ row: Record<string, unknown> }[]>`
      select to_jsonb(l) as row from backup.log l where id = ${started!.id}`;
    row = found!.row;
  } while (row["finished_at"] === null);
  const wallSeconds = (performance.now() - begin) / 1000;
  if (row["status"] !== "succeeded") {
    throw new Error(
      `the backup ${row["status"]}: ${row["error_message"]} ${JSON.stringify(row["attempts"])}`,
    );
  }
  return { row, wallSeconds, isolates: stack.functions.workers().filter(({ id }) => !before.has(id)) };
}
