/**
 * What `restore` does once backup and target are known: look, fetch, plan, ask, restore, compare, and print all of it.
 */
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { countOf, summaryOf } from "../../supabase/functions/backup/compare/check.ts";
import { MANIFEST_NAME, readManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { exitCode } from "../../supabase/functions/backup/restore/account.ts";
import type { Plan } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import { checksTable } from "../compare/checks_table.ts";
import { describePlan, describeRest } from "../plan/describe_plan.ts";
import { storedEntries } from "../plan/stored_entries.ts";
import { expectRestorable, makePlan, type RestoreOptions } from "../plan/plan_restore.ts";
import { describeAccount } from "../restore/describe_account.ts";
import { findPgRestore } from "../restore/pg_restore.ts";
import { recordRestore } from "../restore/record_restore.ts";
import { reportFolder, writeReport } from "../restore/report.ts";
import { besideEntries } from "../restore/side_schema.ts";
import { runRestore } from "../restore/run_restore.ts";
import { fetchSource, type Origin, type Source } from "../source/source.ts";
import {
  type BackedUp,
  expectConfirmation,
  type Finding,
  preflight,
  superuserNote,
} from "../target/preflight.ts";
import { eventTriggerNotes } from "../target/event_triggers.ts";
import { type Kind, placeOf, type Target } from "../target/target.ts";
import { CommandError } from "../terminal/errors.ts";
import { duration } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { canAsk, printJson, printResult, say, warn } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { confirmByName } from "../terminal/prompt.ts";
import { colors } from "../terminal/style.ts";
import { onBytes } from "./download_progress.ts";
import { restoreTablesBeside } from "./restore_beside.ts";

/** The options of the command. */
export interface Options {
  backup?: string;
  from?: string;
  identity?: string;
  table?: string[];
  schema?: string[];
  withDependents?: true;
  schemaOnly?: true;
  dataOnly?: true;
  withFiles?: true;
  intoSchema?: string;
  targetDbUrl?: string;
  as?: Kind;
  jobs: number;
  owner: boolean;
  withoutMissing?: true;
  dryRun?: true;
  check?: true;
  clean?: true;
  confirm?: string;
  workDir: string;
  keep?: true;
  strict?: boolean;
  withPgRestore?: true;
  json?: true;
}

/** Restores a backup. What can be refused is refused before anything large is fetched. */
export async function restoreInto(
  target: Target,
  origin: Origin,
  name: string,
  options: Options,
): Promise<void> {
  const { intoSchema, clean = false, confirm, dryRun = false } = options;
  if (intoSchema !== undefined && target.schemas.has(intoSchema)) {
    throw new CommandError(
      `The target has a schema "${intoSchema}" already`,
      "Name another one: a copy goes into a schema of its own.",
    );
  }
  if (options.withPgRestore) await findPgRestore(target.version);
  let found: Finding[] = [];
  const look = async (backup: BackedUp) => {
    if (intoSchema !== undefined) return;
    found = await preflight(target, backup, clean);
    if (!dryRun) expectConfirmation(target, found, confirm, canAsk());
  };
  if (origin.kind !== "file") {
    const manifest = readManifest(await origin.bucket.get(`${name}/${MANIFEST_NAME}`));
    const { version, database } = manifest.server;
    const projectUrl = origin.kind === "project" ? origin.project.url : null;
    await look({ name, serverVersion: version, database, projectUrl });
    const wanted = planOptions(options);
    const entries = await storedEntries(origin, manifest, wanted, options.identity);
    if (intoSchema !== undefined) besideEntries(entries ?? [], options.table!, intoSchema);
    else if (entries !== null) await expectRestorable(entries, target, wanted, manifest);
  }
  const source = await fetched(origin, name, options);
  using _interrupt = onInterrupt(() => options.keep ? undefined : source.discard());
  try {
    if (origin.kind === "file") {
      await look({ ...source.archive.header, name: null, projectUrl: null });
    }
    if (intoSchema !== undefined) await restoreTablesBeside(source, target, intoSchema, options);
    else await restore(source, target, found, options);
  } finally {
    if (options.keep) say(`The archive is ${source.archive.path}.`);
    else await source.discard();
  }
}

async function fetched(origin: Origin, name: string, { workDir, identity }: Options): Promise<Source> {
  const bar = progress("check");
  return await fetchSource(origin, name, workDir, onBytes(bar), identity).finally(() => bar.stop());
}

function planOptions(options: Options): RestoreOptions {
  const { table: tables = [], schema: schemas = [], jobs, owner } = options;
  return {
    tables,
    schemas,
    jobs,
    noOwner: !owner,
    settle: true,
    schemaOnly: options.schemaOnly ?? false,
    dataOnly: options.dataOnly ?? false,
    clean: options.clean ?? false,
    withDependents: options.withDependents ?? false,
    withFiles: options.withFiles ?? false,
    withoutMissing: options.withoutMissing ?? false,
    strict: options.strict ?? null,
    withPgRestore: options.withPgRestore ?? false,
    reportDir: reportFolder(),
    statementTimeoutMs: 0,
  };
}

async function restore(
  source: Source,
  target: Target,
  found: readonly Finding[],
  asked: Options,
): Promise<void> {
  const { archive, manifest } = source;
  const { json, dryRun = false, clean = false, confirm } = asked;
  const options = planOptions(asked);
  const plan = await withNotes(await makePlan(archive, target, options, manifest), source, target);
  if (!json) printResult(...await describePlan(archive, manifest, target, plan));
  const result = { ...resultOf(source, target, plan), dry_run: dryRun, findings: found };
  if (dryRun) {
    if (json) return printJson({ ...result, account: null, checks: null });
    const confirmed = found.map(({ reason }) => `${colors.red("to be confirmed:")} ${reason}`);
    return printResult(...confirmed, ...describeRest(plan), "Nothing was changed: this was a dry run.");
  }
  if (found.length > 0) {
    const reasons = found.map(({ reason }) => `  - ${reason}`);
    const question = [`Restore into the ${placeOf(target.address)}?`, ...reasons].join("\n");
    await confirmByName(question, target.address.database, confirm);
  }
  const [begin, startedAt] = [performance.now(), new Date()];
  const bar = progress("restore");
  let entries = 0;
  const account = await runRestore(
    archive,
    target,
    plan,
    options,
    (entry) => bar.update(++entries, plan.entries.length, entry),
  )
    .finally(() => bar.stop());
  // Told even where the comparison fails.
  Deno.exitCode = exitCode(account);
  const whole = account.outcome === "restored";
  // The target is restored, whether the report can be written or not.
  const report = whole ? null : await writeReport(options.reportDir!, account, `Restore of ${result.backup}`)
    .catch((error) => {
      warn(`Cannot write the report to "${options.reportDir}": ${error.message}`);
      return null;
    });
  if (!json) {
    const took = duration(performance.now() - begin);
    printResult(
      whole
        ? `${colors.green("✔")} restored in ${took}`
        : `${colors.yellow("!")} restored with exceptions in ${took}`,
      ...describeAccount(account),
      ...(report === null ? [] : [`The whole account is in ${report}.`]),
      ...describeRest(plan),
    );
  }
  const wasEmpty = !clean && !found.some(({ code }) => code === "not_empty");
  const checks = asked.check ? await compareRestored(archive, manifest, plan, target, { wasEmpty }) : null;
  // After the comparison, which would find a row too many.
  const subject = [...options.schemas, ...options.tables].join(", ") || null;
  const place = placeOf(target.address);
  await recordRestore(target, { backup: result.backup, subject, target: place, startedAt, account })
    .catch((error) => warn(`Cannot record the restore in backup.restores: ${error.message}`));
  if (json) printJson({ ...result, account, report, checks: checks && { counts: countOf(checks), checks } });
  if (checks === null) return;
  const { failed, text } = summaryOf(checks);
  if (!json) printResult(...checksTable(checks));
  if (failed > 0) {
    const differs = new CommandError(
      `The target differs from the backup: ${text}`,
      "It is restored. The table above says what differs.",
    );
    throw Object.assign(differs, { exitCode: exitCode({ ...account, outcome: "restored_with_exceptions" }) });
  }
  if (!json) printResult(`${colors.green("✔")} ${text}`);
}

/** Rows that were never in the backup, so that nothing of it can name them. */
const NOT_BACKED_UP = new Set(["left_out", "no_privilege"]);

async function withNotes(plan: Plan, { logged, manifest }: Source, target: Target): Promise<Plan> {
  const missing = manifest?.warnings.filter(({ code }) => NOT_BACKED_UP.has(code)) ?? [];
  const notes = [
    ...plan.notes,
    ...await eventTriggerNotes(target),
    ...missing.map(({ object, message }) => `${object}: ${message}`),
  ];
  if (logged !== null && logged.outcome !== "passed") notes.push(`the manifest is ${logged.detail}`);
  if (target.superuser) notes.push(superuserNote(target));
  return { ...plan, notes };
}

function resultOf({ manifest, archive }: Source, target: Target, plan: Plan) {
  const { host, port, database, user } = target.address;
  return {
    backup: manifest?.name ?? archive.path,
    target: { host, port, database, user, kind: target.kind, server_version: target.versionText },
    entries: plan.entries.length,
    roles_created: plan.newRoles,
    left_out: plan.leftOut,
    missing_extensions: plan.missing.extensions,
    notes: plan.notes,
    to_do: plan.toDo,
  };
}
