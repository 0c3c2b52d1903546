/** `npm run drill`: restores a backup into a scratch database and looks whether everything came back. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { identityFile } from "./decrypt/decryption.ts";
import { bytes } from "./format.ts";
import { type Check, checksTable, summaryOf } from "./restore/check.ts";
import { compareRestored } from "./restore/compare.ts";
import { asMarkdown, drillReport, recordDrill } from "./restore/drill_report.ts";
import { jobsOf } from "./restore/options.ts";
import { OWN_CHECKS, ownChecks } from "./restore/own_checks.ts";
import { withPassword } from "./restore/password.ts";
import { planned, restoreEntries, type RestoreOptions, WHOLE } from "./restore/run.ts";
import { type Scratch, scratchDatabase, scratchServer } from "./restore/scratch.ts";
import {
  chooseBackup,
  defaultWorkDir,
  fetchSource,
  findOrigin,
  type Origin,
  type Source,
} from "./restore/source.ts";
import { stackDatabase } from "./project.ts";
import { CommandError, type Progress, progress, runCommand } from "./terminal.ts";

const USAGE = `Usage: npm run drill [-- --backup NAME|latest] [--from WHERE] [--to URL] [options]

Restores a backup into a scratch database and compares: definitions, rows and their content, sequences, indexes, grants,
policies, jobs. Exit code 0 when nothing failed.

  --backup NAME|latest   which backup; the newest without it
  --from WHERE           a project's URL, s3://BUCKET/PREFIX or a downloaded folder; else SUPABASE_URL with SUPABASE_SECRET_KEY, else the stack
  --identity FILE        the key of an encrypted backup, as age-keygen wrote it; BACKUP_AGE_IDENTITY_FILE without it
  --to URL               a server for the scratch database; one of the embedded stack without it. The password: PGPASSWORD,
                         PGPASSFILE or ~/.pgpass, else it is asked for
  --checks DIR           SQL files whose rows must all be true; ${OWN_CHECKS} without it
  --report DIR           where the report goes, as Markdown and JSON; drills without it
  --record-to URL        the project's database, to write into backup.drills; SUPABASE_DB_URL, or the stack's, without it
  --jobs N               connections that restore at the same time
  --work-dir DIR         where the archive lies meanwhile`;

/** What the drill leaves out is told as skipped. */
const DRILL: RestoreOptions = { ...WHOLE, settle: false, withoutMissing: true };

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        ...{
          backup: { type: "string" },
          from: { type: "string" },
          to: { type: "string" },
          checks: { type: "string" },
        },
        ...{ report: { type: "string" }, jobs: { type: "string" }, "record-to": { type: "string" } },
        ...{ "work-dir": { type: "string" }, identity: { type: "string" } },
      },
    });
    const jobs = jobsOf(values.jobs);
    const origin = await findOrigin(values.from);
    if (origin.kind === "file") {
      throw new CommandError("A single file has no manifest to compare with", "Name its folder.");
    }
    const name = await chooseBackup(origin, values.backup ?? "latest");
    const to = values.to === undefined ? undefined : await withPassword(values.to, true);
    const bar = progress("drill");
    const startedAt = new Date();
    const { where, checks } = await drill(origin, name, {
      ...(to === undefined ? {} : { to }),
      checks: values.checks ?? OWN_CHECKS,
      workDir: values["work-dir"] ?? defaultWorkDir(),
      jobs,
      identityFile: identityFile(values.identity),
      bar,
    }).catch(ended).finally(() => bar.stop());
    const report = drillReport(name, where, startedAt, checks);
    const path = await writeReport(values.report ?? "drills", report);
    console.log(checksTable(checks));
    const { failed, text } = summaryOf(checks);
    console.log(`${failed === 0 ? colors.green("✔") : colors.red("✘")} ${name}: ${text} (${path})`);
    const databaseUrl = values["record-to"] ?? Deno.env.get("SUPABASE_DB_URL") ??
      (origin.kind === "project" ? await stackDatabase(origin.project) : null);
    if (databaseUrl === null) {
      console.error(
        `${colors.yellow("note:")} not recorded in backup.drills: set SUPABASE_DB_URL, or --record-to`,
      );
    } else await recordDrill(await withPassword(databaseUrl, values["record-to"] !== undefined), report);
    if (failed > 0) throw new CommandError(`${failed} checks failed`, `See ${path}.`);
  });
}

export interface DrillOptions {
  /** A server; one of our own without it. */
  to?: string;
  /** Folder of the user's own checks. */
  checks: string;
  workDir: string;
  jobs?: number;
  /** Opens an encrypted backup. */
  identityFile?: string | undefined;
  bar?: Progress;
}

/** A backup that cannot be restored is what a drill is for to find: it is reported and recorded like anything else that fails. */
function ended(error: Error & { hint?: string }): { where: string; checks: Check[] } {
  const detail = [error.message, error.hint].filter((text) => text).join(" ");
  return { where: "nowhere: it ended early", checks: [{ what: "restore", outcome: "failed", detail }] };
}

/** Restores and compares. Throws what ends a restore: then there is nothing to compare. */
export async function drill(
  origin: Origin,
  name: string,
  { to, checks: folder, workDir, jobs = 1, bar, identityFile }: DrillOptions,
): Promise<{ where: string; checks: Check[] }> {
  const source: Source = await fetchSource(
    origin,
    name,
    workDir,
    (done, expected) => bar?.update(done, expected, `downloading, ${bytes(done)}`),
    identityFile,
  );
  const scratch: Scratch =
    await (to === undefined ? scratchServer() : scratchDatabase(to, `drill_${name.replaceAll("-", "_")}`));
  try {
    const { target, where } = scratch;
    const options = { ...DRILL, jobs };
    const plan = await planned(source.archive, target, options);
    let done = 0;
    await restoreEntries(
      source.archive,
      target,
      plan.entries,
      options,
      (entry) => bar?.update(++done, plan.entries.length, entry),
    );
    const checks = await compareRestored(source.archive, source.manifest, plan, target, {
      onCheck: (what) => bar?.update(1, 1, `comparing ${what}`),
    });
    checks.push(...await ownChecks(target, folder));
    return { where, checks };
  } finally {
    await scratch.end();
    await source.discard();
  }
}

async function writeReport(folder: string, report: Parameters<typeof asMarkdown>[0]): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const stem = `${folder}/drill-${report.startedAt.replace(/\D/g, "").slice(0, 14)}-${report.backup}`;
  await Deno.writeTextFile(`${stem}.json`, JSON.stringify(report, null, 2) + "\n");
  await Deno.writeTextFile(`${stem}.md`, asMarkdown(report));
  return `${stem}.md`;
}
