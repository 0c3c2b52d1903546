/** `upgrade`: brings an installed function and its migrations to this release. */
import { Command } from "commander";
import { applyChanges, changesAsJson } from "../install/apply_changes.ts";
import { changesSince } from "../install/changelog.ts";
import { compareVersions } from "../../supabase/functions/backup/version.ts";
import { deploy } from "../install/deploy.ts";
import { readPackage } from "../install/package_contents.ts";
import { planChanges } from "../install/plan_changes.ts";
import { openProjectFolder } from "../install/project_folder.ts";
import { pushCommand } from "../install/supabase_cli.ts";
import { installVersion } from "../project/versions.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { printJson, printResult, say, warn } from "../terminal/output.ts";
import { summary } from "./backup.ts";
import { deployOptions, dryRunOption, jsonOption, overwriteOption } from "./options.ts";

interface Options {
  dryRun?: true;
  overwrite?: true;
  deploy?: true;
  dbUrl?: string;
  functionUrl?: string;
  json?: true;
}

export const command = deployOptions(new Command("upgrade"))
  .summary("bring an installed project to this version")
  .description("Write the migrations that are missing and replace the function. Show what has changed since.")
  .addOption(dryRunOption())
  .addOption(overwriteOption())
  .addOption(jsonOption())
  .action(upgrade);

async function upgrade(options: Options): Promise<void> {
  const show = options.json ? say : printResult;
  const folder = await openProjectFolder(Deno.cwd());
  const packaged = await readPackage();
  const { record, root } = folder;
  if (record === null) {
    throw new CommandError(`Nothing is installed in "${root}"`, `Run \`${commandLine("init")}\`.`);
  }
  if (compareVersions(record.version, packaged.version) > 0) {
    throw new CommandError(
      `Version ${record.version} is installed in "${root}", which is newer than this one, ${packaged.version}`,
      installVersion(record.version),
    );
  }
  const plan = await planChanges(folder, packaged, { versioning: record.versioning, now: new Date() });
  for (const path of plan.alteredMigrations) {
    warn(`${path} was changed by hand. It stays as it is, since it may be applied already.`);
  }
  show(
    plan.changes.length === 0
      ? `Everything of version ${packaged.version} is installed in ${root}.`
      : `From version ${record.version} to ${packaged.version} in ${root}:`,
    ...changesSince(packaged.changelog, record.version),
  );
  const dryRun = options.dryRun ?? false;
  const kept = await applyChanges(root, plan, { dryRun, overwrite: options.overwrite ?? false, show });
  const run = options.deploy && !dryRun
    ? await deploy(root, { dbUrl: options.dbUrl, functionUrl: options.functionUrl })
    : null;
  if (options.json) {
    printJson({
      root,
      version: packaged.version,
      dry_run: dryRun,
      changes: changesAsJson(plan.changes, kept),
      run,
    });
  } else if (dryRun) show("Nothing was written.");
  else if (run !== null) show(...summary(run));
  else if (!options.deploy && plan.changes.length > 0) {
    const push = await pushCommand(root);
    show("", "Two commands are left:", `  ${push}`, "  supabase functions deploy backup");
  }
  if (run !== null && run.status !== "succeeded") {
    throw new CommandError(run.error_message ?? `The run was ${run.status}`, run.error_hint ?? "");
  }
}
