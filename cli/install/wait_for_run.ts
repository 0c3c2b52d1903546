/**
 * A migration waits for the locks of a run, and is given up after two minutes: it is begun when no run is under way.
 */
import type { Sql } from "postgres";
import { followRun } from "../project/follow_run.ts";
import type { Run } from "../project/function_client.ts";
import { CommandError } from "../terminal/errors.ts";
import { say } from "../terminal/output.ts";

const LONGEST_MS = 30 * 60_000;

/** Waits until the run that holds locks has ended. Throws CommandError when that takes longer than `longestMs`. */
export async function waitForRun(sql: Sql, longestMs = LONGEST_MS): Promise<void> {
  const [schema] = await sql<{ found: boolean }[]>`select to_regclass('backup.log') is not null as found`;
  if (!schema!.found) return;
  // One that is queued has no locks yet, and may wait for the function that is about to be deployed.
  const [running] = await sql<{ id: string }[]>`select id from backup.log where status = 'running'`;
  if (running === undefined) return;
  const id = Number(running.id);
  const minutes = longestMs / 60_000;
  say(
    `Run ${id} is under way, and a migration would wait for its locks. Its end is waited for, ${minutes} minutes at most.`,
  );
  const deadline = Date.now() + longestMs;
  await followRun(async () => {
    if (Date.now() > deadline) {
      throw new CommandError(
        `Run ${id} is still under way after ${minutes} minutes`,
        `Run the command again when it has ended, or end it with \`select backup.cancel(${id});\`.`,
      );
    }
    const [row] = await sql<{ run: Run }[]>`select to_jsonb(l) as run from backup.log l where id = ${id}`;
    return row!.run;
  }, id);
}
