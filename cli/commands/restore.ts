/** `restore`: a backup into a database that is looked at first. */
import { Command, Option } from "commander";
import { backupsOf, chooseBackup, defaultWorkDir, findOrigin, type Origin } from "../source/source.ts";
import { withPassword } from "../target/password.ts";
import { openTarget } from "../target/target.ts";
import { UsageError } from "../terminal/errors.ts";
import { say } from "../terminal/output.ts";
import { ask } from "../terminal/prompt.ts";
import { backupsTable } from "./list.ts";
import {
  backupOption,
  fromOption,
  identityOption,
  jobsOption,
  jsonOption,
  PROJECT_NOTE,
  repeated,
  S3_NOTE,
  targetOption,
  workDirOption,
} from "./options.ts";
import { type Options, restoreInto } from "./restore_into.ts";

export const command = new Command("restore")
  .summary("restore a backup, or a part of it, into a database")
  .description(
    "Restore a backup, or a part of it, into a database. What the server refuses is restored in another way or left " +
      "out, and reported. Without options the command lists the backups and asks.",
  )
  .optionsGroup("What:")
  .addOption(backupOption())
  .addOption(
    fromOption(
      "a project's URL, s3://bucket/prefix (second copies), a downloaded folder, or a single archive (default: the project)",
    ),
  )
  .addOption(identityOption())
  .option("--table <schema.name>", "this table only, with what is its own; may be repeated", repeated)
  .option("--schema <name>", "this schema only; may be repeated", repeated)
  .option(
    "--with-dependents",
    "and what depended on it and is gone: views, keys and policies of other tables",
  )
  .addOption(new Option("--schema-only", "definitions, no rows").conflicts("dataOnly"))
  .option("--data-only", "rows, no definitions")
  .option("--with-files", "rows of storage.objects as well (into a Supabase project)")
  .option("--into-schema <name>", "with --table: a copy in this new schema, beside the live table")
  .optionsGroup("Where:")
  .addOption(
    targetOption(
      "the target: postgresql://user@host:5432/database. Its password: PGPASSWORD, PGPASSFILE or ~/.pgpass, else you are asked",
    ),
  )
  .addOption(
    new Option("--as <kind>", "what the target is, where that shows wrongly").choices(["plain", "supabase"]),
  )
  .addOption(jobsOption("connections at once; with more than one the restore is not one transaction"))
  .option("--no-owner", "no owners, no grants")
  .option(
    "--without-missing",
    "go on without extensions that the target cannot have, and without what needs them",
  )
  .optionsGroup("Safety:")
  .option("--dry-run", "say what would be done, and do nothing")
  .option("--check", "compare with the backup afterwards, as a drill does")
  .option("--clean", "drop first what the backup has")
  .option(
    "--confirm <database>",
    "go on where something speaks against the target, or with --clean: the name of its database (default: you are asked)",
  )
  .option(
    "--strict",
    "all or nothing: change nothing if the server refuses anything (default for a part of a backup)",
  )
  .option(
    "--no-strict",
    "restore what the server accepts, and report the rest (default for a whole backup)",
  )
  .option("--with-pg-restore", "restore with the pg_restore of this machine, all or nothing")
  .addOption(workDirOption().default(defaultWorkDir(), "the user's cache"))
  .option("--keep", "leave the downloaded archive there")
  .optionsGroup("Output:")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async (options: Options, command: Command) => {
    if (options.intoSchema !== undefined && options.table === undefined) {
      throw new UsageError("--into-schema needs --table", "Name the tables to copy: --table SCHEMA.NAME.");
    }
    const origin = await findOrigin(options.from);
    const name = await backupName(origin, options.backup);
    const onCommandLine = command.getOptionValueSource("targetDbUrl") === "cli";
    const target = await openTarget(await targetUrl(options.targetDbUrl, onCommandLine), options.as);
    try {
      await restoreInto(target, origin, name, options);
    } finally {
      await target.session.close();
    }
  });

async function backupName(origin: Origin, wanted: string | undefined): Promise<string> {
  if (origin.kind === "file") return "";
  if (wanted !== undefined || origin.kind === "folder") return await chooseBackup(origin, wanted ?? "latest");
  say(...backupsTable(await backupsOf(origin)));
  return await chooseBackup(
    origin,
    await ask("Which backup? (its name, or latest)", "Name it: --backup NAME, or --backup latest."),
  );
}

async function targetUrl(given: string | undefined, onCommandLine: boolean): Promise<string> {
  const url = given ??
    await ask(
      "Where to? (postgresql://user@host:5432/database)",
      "Name the target: --target-db-url URL, or RESTORE_DATABASE_URL.",
    );
  return await withPassword(url, onCommandLine);
}
