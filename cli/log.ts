/** `npm run log`: the last runs as a table. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { bytes, count, duration, instant } from "./format.ts";
import { BUCKET, openBucket } from "./list.ts";
import { rebuildLog } from "./log/rebuild.ts";
import { findProject, stackDatabase } from "./project.ts";
import { readRuns, type Run } from "./runs.ts";
import { CommandError, runCommand, table, UsageError } from "./terminal.ts";

const USAGE = `Usage: npm run log [-- --limit N] [--json]
       npm run log -- --rebuild [--db-url URL]

Shows the last runs, newest first (20 unless told, 1000 at most).

  --rebuild      gives backups of the bucket that the log has lost their rows again, from their manifests
  --db-url URL   the project's database, for --rebuild; SUPABASE_DB_URL, or the stack's, without it

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        limit: { type: "string", default: "20" },
        json: { type: "boolean" },
        rebuild: { type: "boolean" },
        "db-url": { type: "string" },
      },
    });
    if (values.rebuild) return await rebuild(values["db-url"], values.json ?? false);
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      throw new UsageError("--limit is from 1 to 1000");
    }
    const runs = await readRuns(await findProject(), { limit });
    console.log(values.json ? JSON.stringify(runs, null, 2) : runsTable(runs));
  });
}

async function rebuild(url: string | undefined, json: boolean): Promise<void> {
  const project = await findProject();
  const databaseUrl = url ?? Deno.env.get("SUPABASE_DB_URL") ?? await stackDatabase(project);
  if (databaseUrl === null) {
    throw new CommandError(
      "The log is rebuilt in the database, and no database is named",
      "Set SUPABASE_DB_URL, or --db-url.",
    );
  }
  const rebuilt = await rebuildLog(openBucket(project), BUCKET, databaseUrl);
  if (json) return console.log(JSON.stringify(rebuilt, null, 2));
  if (rebuilt.length === 0) return console.log("The bucket has no backup.");
  console.log(table(["backup", "log"], rebuilt.map(({ name, outcome }) => [name, outcome])));
}

export function runsTable(runs: Run[]): string {
  if (runs.length === 0) return "No run yet. Start one with `npm run backup`.";
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
      "rows' text",
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
  );
  const failures = runs.filter((run) => run.error_message !== null).map((run) =>
    `run ${run.id}: ${run.error_message}${
      run.error_hint ? `\n  ${colors.yellow("hint:")} ${run.error_hint}` : ""
    }`
  );
  return [drawn, ...failures].join("\n");
}

function status(run: Run): string {
  if (run.status === "succeeded") return colors.green(run.status);
  if (run.status === "failed") return colors.red(run.status);
  return run.status === "running" && run.phase !== null ? `${run.status}: ${run.phase}` : run.status;
}
