/** `drill`: restores a backup into a scratch database and compares everything. */
import { basename } from "node:path";
import { Command, Option } from "commander";
import { visibleJson } from "../../supabase/functions/backup/visible_text.ts";
import { drill } from "../compare/drill.ts";
import { stackDatabase } from "../project/find_project.ts";
import { checksTable } from "../compare/checks_table.ts";
import { summaryOf } from "../../supabase/functions/backup/compare/check.ts";
import { asMarkdown, type DrillReport, drillReport, recordDrill } from "../compare/drill_report.ts";
import { USER_CHECKS } from "../compare/user_checks.ts";
import { withPassword } from "../target/password.ts";
import { chooseBackup, defaultWorkDir, findOrigin } from "../source/source.ts";
import { CommandError } from "../terminal/errors.ts";
import { note, printJson, printResult } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import {
  backupOption,
  dbUrlOption,
  fromOption,
  identityOption,
  jobsOption,
  jsonOption,
  PROJECT_NOTE,
  S3_NOTE,
  workDirOption,
} from "./options.ts";

interface Options {
  backup: string;
  from?: string;
  identity?: string;
  targetDbUrl?: string;
  checks: string;
  report: string;
  dbUrl?: string;
  jobs: number;
  workDir: string;
  json?: true;
}

export const command = new Command("drill")
  .summary("restore a backup into a scratch database and compare")
  .description(
    "Restore a backup into a scratch database and compare: definitions, rows and their content, sequences, indexes, " +
      "grants, policies, jobs. The exit code is 1 when a check failed.",
  )
  .addOption(backupOption().default("latest"))
  .addOption(
    fromOption("a project's URL, s3://bucket/prefix, a folder or a single archive (default: the project)"),
  )
  .addOption(identityOption())
  .addOption(
    new Option(
      "--target-db-url <url>",
      "a server for the scratch database (default: one of the embedded stack). Its password: PGPASSWORD, PGPASSFILE " +
        "or ~/.pgpass, else you are asked",
    ),
  )
  .option("--checks <folder>", "your own SQL files, whose rows must all be true", USER_CHECKS)
  .option("--report <folder>", "where the report goes, as Markdown and JSON", "drills")
  .addOption(
    dbUrlOption("the project's database, to record the drill in backup.drills (default: the stack's)"),
  )
  .addOption(jobsOption("connections that restore at the same time"))
  .addOption(workDirOption().default(defaultWorkDir(), "the user's cache"))
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async (options: Options, command: Command) => {
    const { backup, from, identity, targetDbUrl, checks: folder, workDir, jobs, json } = options;
    const origin = await findOrigin(from);
    const name = origin.kind === "file" ? basename(origin.path) : await chooseBackup(origin, backup);
    const to = targetDbUrl === undefined ? undefined : await withPassword(targetDbUrl, true);
    const bar = progress("drill");
    const startedAt = new Date();
    const { where, checks } = await drill(origin, name, {
      checks: folder,
      workDir,
      jobs,
      identityFile: identity,
      bar,
      ...(to === undefined ? {} : { to }),
    }).finally(() => bar.stop());
    const report = drillReport(name, where, startedAt, checks);
    const path = await writeReport(options.report, report);
    const { failed, text } = summaryOf(checks);
    if (json) printJson({ ...report, report: path });
    else {
      printResult(...checksTable(checks));
      printResult(`${failed === 0 ? colors.green("✔") : colors.red("✘")} ${name}: ${text} (${path})`);
    }
    const databaseUrl = options.dbUrl ??
      (origin.kind === "project" ? await stackDatabase(origin.project) : null);
    if (databaseUrl === null) {
      note("The drill is not recorded in backup.drills: set SUPABASE_DB_URL, or add --db-url URL");
    } else {await recordDrill(
        await withPassword(databaseUrl, command.getOptionValueSource("dbUrl") === "cli"),
        report,
      );}
    if (failed > 0) {
      throw new CommandError(`${failed === 1 ? "A check" : `${failed} checks`} failed`, `See ${path}.`);
    }
  });

async function writeReport(folder: string, report: DrillReport): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const stem = `${folder}/drill-${report.startedAt.replace(/\D/g, "").slice(0, 14)}-${report.backup}`;
  await Deno.writeTextFile(`${stem}.json`, visibleJson(report) + "\n");
  await Deno.writeTextFile(`${stem}.md`, asMarkdown(report));
  return `${stem}.md`;
}
