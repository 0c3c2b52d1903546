/** `init`: writes the function, the migrations and the function's settings into a Supabase project. */
import { Command, Option } from "commander";
import { applyChanges, changesAsJson } from "../install/apply_changes.ts";
import { deploy, functionUrlOf, withDatabase } from "../install/deploy.ts";
import { refuseForeignSchemas } from "../install/foreign_schemas.ts";
import { readPackage } from "../install/package_contents.ts";
import { planChanges } from "../install/plan_changes.ts";
import { openProjectFolder } from "../install/project_folder.ts";
import { SECOND_COPIES, type SecondCopy, secondCopySteps } from "../install/second_copy.ts";
import { pushCommand } from "../install/supabase_cli.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { canAsk, printJson, printResult, say, warn } from "../terminal/output.ts";
import { ask } from "../terminal/prompt.ts";
import { colors } from "../terminal/style.ts";
import { summary } from "./backup.ts";
import { deployOptions, dryRunOption, jsonOption, overwriteOption } from "./options.ts";

interface Options {
  versioning?: boolean;
  secondCopy?: SecondCopy;
  dryRun?: true;
  overwrite?: true;
  deploy?: true;
  dbUrl?: string;
  functionUrl?: string;
  json?: true;
}

export const command = deployOptions(new Command("init"))
  .summary("install into a Supabase project")
  .description(
    "Write the function and the migrations into the Supabase project of this folder. It may be run again.",
  )
  .addOption(new Option("--versioning", "install histories of single rows too"))
  .addOption(new Option("--no-versioning", "leave them out"))
  .addOption(
    new Option("--second-copy <where>", "where a second copy of each backup goes").choices(SECOND_COPIES),
  )
  .addOption(dryRunOption())
  .addOption(overwriteOption())
  .addOption(jsonOption())
  .action(init);

async function init(options: Options): Promise<void> {
  const show = options.json ? say : printResult;
  const folder = await openProjectFolder(Deno.cwd());
  const packaged = await readPackage();
  const { record } = folder;
  if (record !== null && record.version !== packaged.version) {
    throw new CommandError(
      `Version ${record.version} is installed in "${folder.root}", and this is ${packaged.version}`,
      `Run \`${commandLine("upgrade")}\`.`,
    );
  }
  const versioning = options.versioning ?? record?.versioning ??
    await wantsVersioning(options.dryRun ?? false);
  // An installed project was asked before.
  const secondCopy = options.secondCopy ??
    (record === null ? await wantsSecondCopy(options.dryRun ?? false) : null);
  // Before anything is written: the migrations would stay in the folder.
  if (options.deploy && options.dbUrl !== undefined) {
    await withDatabase(options.dbUrl, (sql) => refuseForeignSchemas(sql, versioning));
  }
  const plan = await planChanges(folder, packaged, { versioning, now: new Date() });
  for (const path of plan.alteredMigrations) {
    warn(`${path} is not what this version installs. It stays as it is, since it may be applied already.`);
  }
  if (plan.changes.length === 0) {
    show(`Everything of version ${packaged.version} is installed in ${folder.root}.`);
  } else show(`Version ${packaged.version} into ${folder.root}:`);
  const dryRun = options.dryRun ?? false;
  const kept = await applyChanges(folder.root, plan, { dryRun, overwrite: options.overwrite ?? false, show });
  const run = options.deploy && !dryRun
    ? await deploy(folder.root, {
      // A copy needs the function's secrets first.
      secondCopy: secondCopy === "none" ? secondCopy : null,
      dbUrl: options.dbUrl,
      functionUrl: options.functionUrl,
    })
    : null;
  if (options.json) {
    const { root } = folder;
    printJson({
      root,
      version: packaged.version,
      dry_run: dryRun,
      changes: changesAsJson(plan.changes, kept),
      run,
    });
  } else if (dryRun) show("Nothing was written.");
  else if (run !== null) {
    show(...summary(run));
    if (!await isDecided(options.dbUrl!)) show(...secondCopySteps(secondCopy));
  } else {
    const steps = nextSteps(await pushCommand(folder.root), await functionUrlOf(folder.root));
    show(...steps.slice(options.deploy ? -2 : 0), ...secondCopySteps(secondCopy));
  }
  if (run !== null && run.status !== "succeeded") {
    throw new CommandError(run.error_message ?? `The run was ${run.status}`, run.error_hint ?? "");
  }
}

/** Where nobody can be asked it is installed, which changes no table until one is tracked. */
async function wantsVersioning(dryRun: boolean): Promise<boolean> {
  if (dryRun || !canAsk()) return true;
  return await isYes(
    "Install versioning too? It keeps the history of single rows, for tables that you choose. [y/n]",
    "Add --versioning or --no-versioning.",
  );
}

/** Where nobody can be asked it stays undecided, and both ways are named. */
async function wantsSecondCopy(dryRun: boolean): Promise<SecondCopy | null> {
  if (dryRun || !canAsk()) return null;
  const yes = await isYes(
    "Keep a second copy of each backup outside the project? Without one the backups are deleted with it. [y/n]",
    "Add --second-copy s3, s3_with_files or none.",
  );
  return yes ? "s3" : "none";
}

async function isDecided(dbUrl: string): Promise<boolean> {
  return await withDatabase(dbUrl, async (sql) => {
    const [settings] = await sql<{ decided: boolean }[]>`
      select second_copy is not null as decided from backup.settings`;
    return settings!.decided;
  });
}

async function isYes(question: string, instead: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(question, instead));
}

/** Returns what is left to do, as commands to paste. */
function nextSteps(push: string, url: string | null): string[] {
  const address = url ?? "https://YOUR-PROJECT-REF.supabase.co/functions/v1/backup";
  return [
    "",
    "Three commands are left:",
    `  ${colors.bold(push)}`,
    `  ${colors.bold("supabase functions deploy backup")}`,
    `  ${colors.bold(`select backup.configure(function_url => '${address}');`)}   -- in the SQL editor`,
    "Then `select backup.start('manual');` makes the first backup.",
  ];
}
