/** `backup`: starts a backup and follows it to its end. */
import { Command } from "commander";
import { bytes, counted, duration } from "../terminal/format.ts";
import { findProject, type Project } from "../project/find_project.ts";
import { followRun } from "../project/follow_run.ts";
import { readRuns, type Run, startRun } from "../project/function_client.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { jsonOption, PROJECT_NOTE } from "./options.ts";

export const command = new Command("backup")
  .summary("start a backup and follow it")
  .description("Start a backup and follow it to its end.")
  .option("--wait", "follow it to its end (default)")
  .option("--no-wait", "start it, print its id, and leave")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE)
  .action(async ({ wait = true, json }: { wait?: boolean; json?: true }) => {
    const project = await findProject();
    const runId = await startRun(project);
    if (!wait) {
      if (json) printJson({ run_id: runId });
      else printResult(`run ${runId} started; \`${commandLine("log")}\` shows it`);
      return;
    }
    using _interrupt = onInterrupt(() =>
      `Run ${runId} goes on in the project; \`${commandLine("log")}\` shows it.`
    );
    const run = await followRun(() => readRun(project, runId), runId);
    if (json) printJson({ run });
    else printResult(...summary(run));
    if (run.status !== "succeeded") {
      throw new CommandError(run.error_message ?? `The run was ${run.status}`, run.error_hint ?? "");
    }
  });

async function readRun(project: Project, runId: number): Promise<Run> {
  const [run] = await readRuns(project, { runId });
  if (!run) throw new CommandError(`Run ${runId} is not in the log`, "Its row was deleted while it ran.");
  return run;
}

/** Returns the run in a few lines. */
export function summary(run: Run): string[] {
  const mark = run.status === "succeeded" ? colors.green("✔") : colors.red("✘");
  const took = run.finished_at === null
    ? ""
    : ` in ${duration(new Date(run.finished_at).getTime() - new Date(run.started_at).getTime())}`;
  const lines = [`${mark} ${run.name} ${run.status}${took}`];
  if (run.status === "succeeded") {
    lines.push(
      `  ${counted(run.rows ?? 0, "row")} of ${counted(run.tables ?? 0, "table")}, ${
        bytes(run.raw_bytes ?? 0)
      } as ` +
        `${bytes(run.stored_bytes ?? 0)} in ${counted(run.parts ?? 0, "part")}, ` +
        (run.verified_at === null ? "not verified" : "verified"),
    );
  }
  for (const warning of run.warnings) {
    lines.push(`  ${colors.yellow("warning:")} ${warning.object}: ${warning.message}`);
  }
  return lines;
}
