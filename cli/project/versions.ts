/** Command, function and schema are installed apart, so one may be newer: that is said before anything is touched. */
import type { Sql } from "postgres";
import { schemaVersion } from "../../supabase/functions/backup/run/check_version.ts";
import { compareVersions, VERSION, worksWith } from "../../supabase/functions/backup/version.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";

/** Throws CommandError where `what` is of a version that this command does not work with. */
export function expectVersion(what: string, found: string): void {
  if (worksWith(found, VERSION)) return;
  throw new CommandError(
    `The ${what} is version ${found}, this command is ${VERSION}`,
    compareVersions(found, VERSION) > 0
      ? installVersion(found)
      : `In the project's folder, run \`${
        commandLine("upgrade")
      }\`, then \`supabase db push\` and \`supabase functions deploy backup\`.`,
  );
}

/** Throws CommandError as above, or BackupError where the database has no schema of ours. */
export async function expectSchema(sql: Sql): Promise<void> {
  expectVersion('schema "backup"', await schemaVersion({ sql }));
}

/** The package is in no registry, where the name could be anybody's. */
export function installVersion(version: string): string {
  return `Install the package of that version: \`npm install --save-dev ./supabase-backup-${version}.tgz\`.`;
}
