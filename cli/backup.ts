/** `npm run backup`: starts a run by hand and follows it to its end. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { bytes, count, duration } from "./format.ts";
import { findProject, type Project } from "./project.ts";
import { readRuns, type Run, startRun } from "./runs.ts";
import { CommandError, progress, runCommand } from "./terminal.ts";

const USAGE = `Usage: npm run backup [-- --no-wait]

Starts a backup and follows it. Exit code 0 when it succeeded, 1 when it did not.

  --no-wait   start it, print its id and leave

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

const POLL_MILLISECONDS = 1000;

/** Phases in which all rows have been read. */
const ROWS_READ: ReadonlySet<string | null> = new Set(["finishing", "verifying", "rotating"]);

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({ args, options: { "no-wait": { type: "boolean" } } });
    const project = await findProject();
    const runId = await startRun(project);
    if (values["no-wait"]) {
      console.log(`run ${runId} started; \`npm run log\` shows it`);
      return;
    }
    const run = await followRun(() => readRun(project, runId), runId);
    console.log(summary(run));
    if (run.status !== "succeeded") {
      throw new CommandError(run.error_message ?? `The run was ${run.status}`, run.error_hint ?? "");
    }
  });
}

async function readRun(project: Project, runId: number): Promise<Run> {
  const [run] = await readRuns(project, { runId });
  if (!run) throw new CommandError(`Run ${runId} is not in the log any more`, "Someone deleted its row.");
  return run;
}

/** Polls `read` and draws what it says until the run has ended; answers its last state. */
export async function followRun(read: () => Promise<Run>, runId: number): Promise<Run> {
  const drawn = progress(`run ${runId}`);
  const begin = Date.now();
  try {
    while (true) {
      const run = await read();
      const { raw_bytes: done = 0, estimated_bytes: total = 0 } = run.progress ?? {};
      const text = note(run, done, total, Date.now() - begin);
      // The total was an estimate, which all rows together seldom meet.
      if (run.status === "succeeded" || ROWS_READ.has(run.phase)) drawn.update(1, 1, text);
      else drawn.update(done, total, text);
      if (run.finished_at !== null) return run;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  } finally {
    drawn.stop();
  }
}

/** Rate and time left are told while rows are exported only: the other phases have no bytes to count. */
function note(run: Run, done: number, total: number, elapsed: number): string {
  if (run.finished_at !== null) return run.status;
  const before = run.attempts.at(-1);
  const again = before === undefined ? "" : `attempt ${run.attempt} after ${before.error.code}: `;
  const phase = again + (run.phase ?? run.status);
  if (run.phase !== "exporting" || done === 0 || elapsed === 0) return phase;
  const rate = done / elapsed;
  const left = total > done ? `, about ${duration((total - done) / rate)} left` : "";
  const tables = new Set((run.progress?.doing ?? []).flatMap(({ table }) => table ?? []));
  return `${[phase, ...tables].join(" ")}, ${bytes(rate * 1000)}/s${left}`;
}

/** The run in a few lines. */
export function summary(run: Run): string {
  const mark = run.status === "succeeded" ? colors.green("✔") : colors.red("✘");
  const took = run.finished_at === null
    ? ""
    : ` in ${duration(new Date(run.finished_at).getTime() - new Date(run.started_at).getTime())}`;
  const lines = [`${mark} ${run.name} ${run.status}${took}`];
  if (run.status === "succeeded") {
    lines.push(
      `  ${count(run.rows ?? 0)} rows of ${count(run.tables ?? 0)} tables, ${bytes(run.raw_bytes ?? 0)} as ` +
        `${bytes(run.stored_bytes ?? 0)} in ${count(run.parts ?? 0)} parts, ` +
        (run.verified_at === null ? "not verified" : "verified"),
    );
  }
  for (const warning of run.warnings) {
    lines.push(`  ${colors.yellow("warning:")} ${warning.object}: ${warning.message}`);
  }
  return lines.join("\n");
}
