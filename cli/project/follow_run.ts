/** Follows a run to its end and shows its progress. */
import { bytes, duration } from "../terminal/format.ts";
import { progress } from "../terminal/progress.ts";
import type { Run } from "./function_client.ts";

const POLL_MILLISECONDS = 1000;

/** Phases in which all rows have been read. */
const ROWS_READ: ReadonlySet<string | null> = new Set(["finishing", "verifying", "rotating"]);

/** Polls `read` until the run has ended, and returns its last state. */
export async function followRun(read: () => Promise<Run>, runId: number): Promise<Run> {
  const drawn = progress(`run ${runId}`);
  const begin = Date.now();
  try {
    while (true) {
      const run = await read();
      const { raw_bytes: done = 0, estimated_bytes: total = 0 } = run.progress ?? {};
      const text = note(run, done, total, Date.now() - begin);
      // The total is an estimate, which the sum of all rows seldom meets.
      if (run.status === "succeeded" || ROWS_READ.has(run.phase)) drawn.update(1, 1, text);
      else drawn.update(done, total, text);
      if (run.finished_at !== null) return run;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  } finally {
    drawn.stop();
  }
}

/** Shows rate and time left while rows are exported: the other phases have no bytes to count. */
function note(run: Run, done: number, total: number, elapsed: number): string {
  if (run.finished_at !== null) return run.status;
  const problem = run.progress?.problem;
  if (problem !== undefined) return `${run.status}, waits for the function: ${problem.message}`;
  const before = run.attempts.at(-1);
  const again = before === undefined ? "" : `attempt ${run.attempt} after ${before.error.code}: `;
  const phase = again + (run.phase ?? run.status);
  if (run.phase !== "exporting" || done === 0 || elapsed === 0) return phase;
  const rate = done / elapsed;
  const left = total > done ? `, about ${duration((total - done) / rate)} left` : "";
  const tables = new Set((run.progress?.doing ?? []).flatMap(({ table }) => table ?? []));
  return `${[phase, ...tables].join(" ")}, ${bytes(rate * 1000)}/s${left}`;
}
