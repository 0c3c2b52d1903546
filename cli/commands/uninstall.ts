/** `uninstall`: writes the migration that removes everything, and takes the function out of the project's folder. */
import { Command, Option } from "commander";
import { join } from "node:path";
import { dropScratch } from "../../supabase/functions/backup/inside/scratch.ts";
import { pushMigrations, withDatabase } from "../install/deploy.ts";
import { removeBackups } from "../install/remove_backups.ts";
import { pushCommand, runSupabase } from "../install/supabase_cli.ts";
import { timeAfter, UNINSTALL_MIGRATION } from "../install/plan_changes.ts";
import { FUNCTION_FOLDER } from "../install/package_contents.ts";
import { hashOf, openProjectFolder, readText, writeText } from "../install/project_folder.ts";
import { uninstallSql } from "../install/uninstall_sql.ts";
import { findProject } from "../project/find_project.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";
import { counted } from "../terminal/format.ts";
import { printJson, printResult, say } from "../terminal/output.ts";
import { confirmByTyping } from "../terminal/prompt.ts";
import { colors } from "../terminal/style.ts";
import { dbUrlOption, dryRunOption, jsonOption } from "./options.ts";

interface Options {
  keepVersioning?: true;
  deleteBackups?: true;
  deploy?: true;
  dbUrl?: string;
  dryRun?: true;
  confirm?: string;
  json?: true;
}

export const command = new Command("uninstall")
  .summary("remove it from a Supabase project")
  .description(
    "Write a migration that removes jobs, functions and schemas, and take the function out of the folder.",
  )
  .addOption(new Option("--keep-versioning", "leave the histories of rows, and go on with them"))
  .addOption(new Option("--delete-backups", "also delete all backups in the bucket"))
  .option("--deploy", "also run the two commands that remove it from the project")
  .addOption(dbUrlOption("with --deploy: the project's database"))
  .addOption(dryRunOption())
  .addOption(jsonOption())
  .option("--confirm <word>", 'answer the question in a script: "uninstall", or "delete backups"')
  .addHelpText("after", "\nThe bucket and its backups stay unless --delete-backups is given.")
  .action(uninstall);

async function uninstall(options: Options): Promise<void> {
  const show = options.json ? say : printResult;
  const { root, record, migrations } = await openProjectFolder(Deno.cwd());
  if (record === null) {
    throw new CommandError(
      `Nothing is installed in "${root}"`,
      `\`${commandLine("init")}\` would install it.`,
    );
  }
  const changed: string[] = [];
  for (const [path, hash] of Object.entries(record.files)) {
    const text = await readText(root, path);
    if (text !== null && hashOf(text) !== hash) changed.push(path);
  }
  const versioning = record.versioning && !options.keepVersioning;
  const file = `supabase/migrations/${
    timeAfter(migrations.at(-1)?.split("_")[0] ?? "", new Date())
  }_${UNINSTALL_MIGRATION}.sql`;
  show(
    `From ${root}:`,
    `  ${colors.green("created")}  ${file}`,
    `  ${colors.red("removed")}  ${FUNCTION_FOLDER} (${counted(Object.keys(record.files).length, "file")})`,
    ...changed.map((path) => `           ${path} was changed by hand`),
    "The schema `backup` with its log and settings goes" +
      (versioning ? ", and all histories of rows." : "."),
    options.deleteBackups
      ? colors.red("All backups in the bucket are deleted. Nothing can bring them back.")
      : "The bucket and its backups stay: pg_restore restores them without anything of this tool.",
  );
  const result = { root, migration: file, versioning, dry_run: options.dryRun ?? false };
  if (options.dryRun) {
    show("Nothing was written.");
    if (options.json) printJson({ ...result, backups_deleted: null });
    return;
  }
  const word = options.deleteBackups ? "delete backups" : "uninstall";
  await confirmByTyping(`Type "${word}" to go on:`, word, options.confirm);
  // First what may fail because a key is missing.
  const deleted = options.deleteBackups ? await removeBackups(await findProject()) : null;
  await writeText(root, file, uninstallSql({ versioning }));
  await Deno.remove(join(root, FUNCTION_FOLDER), { recursive: true });
  if (deleted !== null) show(`${counted(deleted, "backup")} deleted.`);
  if (options.deploy) {
    await pushMigrations(root, options.dbUrl);
    // A migration, which is a transaction, cannot drop what a drill under way has left.
    if (options.dbUrl !== undefined) await withDatabase(options.dbUrl, (sql) => dropScratch({ sql }));
    await runSupabase(root, ["functions", "delete", "backup"]);
  } else {
    show(
      "",
      "Two commands are left:",
      `  ${colors.bold(await pushCommand(root))}`,
      `  ${colors.bold("supabase functions delete backup")}`,
    );
  }
  show(
    "Earlier migrations stay, as every migration does. [functions.backup] in supabase/config.toml is yours to delete.",
  );
  if (options.json) printJson({ ...result, backups_deleted: deleted });
}
