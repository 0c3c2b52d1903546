/** `log`: the last runs, and the log rebuilt from the bucket. */
import { Command } from "commander";
import { bytes, count, duration, instant } from "../terminal/format.ts";
import { findProject, stackDatabase } from "../project/find_project.ts";
import { readRuns, type Run } from "../project/function_client.ts";
import { rebuildLog } from "../project/rebuild_log.ts";
import { findBucket } from "../project/find_bucket.ts";
import { openBucket } from "../project/stored_backups.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { labelled, printJson, printResult, resultWidth } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { dbUrlOption, integer, jsonOption, PROJECT_NOTE } from "./options.ts";

interface Options {
  limit: number;
  rebuild?: true;
  dbUrl?: string;
  json?: true;
}

export const command = new Command("log")
  .summary("show the last runs")
  .description("Show the last runs, newest first.")
  .option("--limit <number>", "how many runs", integer(1, 1000), 20)
  .option("--rebuild", "recreate missing log rows from the manifests in the bucket")
  .addOption(dbUrlOption("the project's database, for --rebuild"))
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE)
  .action(async ({ limit, rebuild, dbUrl, json }: Options) => {
    if (rebuild) return await showRebuilt(dbUrl, json);
    const runs = await readRuns(await findProject(), { limit });
    if (json) printJson({ runs });
    else printResult(...runsTable(runs));
  });

async function showRebuilt(url: string | undefined, json?: true): Promise<void> {
  const project = await findProject();
  const databaseUrl = url ?? await stackDatabase(project);
  if (databaseUrl === null) {
    throw new CommandError(
      "Cannot rebuild the log: no database is named",
      "Set SUPABASE_DB_URL, or add --db-url URL.",
    );
  }
  const bucket = await findBucket(project);
  const backups = await rebuildLog(openBucket(project, bucket), bucket, databaseUrl);
  if (json) return printJson({ backups });
  if (backups.length === 0) return printResult("The bucket has no backup.");
  printResult(...table(["backup", "log"], backups.map(({ name, outcome }) => [name, outcome])));
}

export function runsTable(runs: Run[]): string[] {
  if (runs.length === 0) return [`No run yet. Start one with \`${commandLine("backup")}\`.`];
  const drawn = table(
    [
      "run",
      "backup",
      "trigger",
      "status",
      "started",
      "took",
      "tables",
      "rows",
      "uncompressed",
      "stored",
      "verified",
    ],
    runs.map((run) => [
      String(run.id),
      run.name + (run.pinned ? " (pinned)" : ""),
      run.trigger,
      status(run),
      instant(run.started_at),
      run.finished_at === null ? "" : duration(Date.parse(run.finished_at) - Date.parse(run.started_at)),
      run.tables === null ? "" : count(run.tables),
      run.rows === null ? "" : count(run.rows),
      run.raw_bytes === null ? "" : bytes(run.raw_bytes),
      run.stored_bytes === null ? "" : bytes(run.stored_bytes),
      run.verified_at === null ? "" : "yes",
    ]),
    ["right", "left", "left", "left", "left", "right", "right", "right", "right", "right", "left"],
    resultWidth(),
    ["verified", "started", "uncompressed", "tables", "rows"],
  );
  const failures = runs.filter((run) => run.error_message !== null).flatMap((run) => [
    ...labelled(`run ${run.id}:`, run.error_message!),
    ...(run.error_hint ? labelled(`  ${colors.yellow("hint:")}`, run.error_hint) : []),
  ]);
  return [...drawn, ...failures];
}

function status(run: Run): string {
  if (run.status === "succeeded") return colors.green(run.status);
  if (run.status === "failed") return colors.red(run.status);
  return run.status === "running" && run.phase !== null ? `${run.status}: ${run.phase}` : run.status;
}
