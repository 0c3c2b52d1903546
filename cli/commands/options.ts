/** Options that several commands have: each means the same everywhere. */
import { type Command, InvalidArgumentError, Option } from "commander";

/** Where commands look for a project, below the help of each that needs one. */
export const PROJECT_NOTE =
  "\nThe project: SUPABASE_URL with SUPABASE_SECRET_KEY (or\nSUPABASE_SERVICE_ROLE_KEY), else the stack that runs from this folder.";

export const S3_NOTE =
  "\nFor s3:// set the BACKUP_S3_* variables in the environment, as\ndocs/second-copy.md says.";

export function jsonOption(): Option {
  return new Option("--json", "print the result as one JSON object (docs/json.md)");
}

export function backupOption(): Option {
  return new Option("--backup <name>", "which backup: its name, latest or oldest");
}

export function fromOption(description: string): Option {
  return new Option("--from <where>", description);
}

export function identityOption(): Option {
  return new Option("--identity <file>", "key file of an encrypted backup, as age-keygen wrote it")
    .env("BACKUP_AGE_IDENTITY_FILE");
}

/** The project's own database. */
export function dbUrlOption(description = "the project's database, asked in place of the function"): Option {
  return new Option("--db-url <url>", description).env("SUPABASE_DB_URL");
}

export function workDirOption(): Option {
  return new Option("--work-dir <folder>", "where the archive lies meanwhile");
}

export function jobsOption(description: string): Option {
  return new Option("--jobs <number>", description).default(1).argParser(integer(1, 64));
}

export function targetOption(description: string): Option {
  return new Option("--target-db-url <url>", description).env("RESTORE_DATABASE_URL");
}

/** Returns a parser for whole numbers from `least` to `most`. */
export function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Collects an option that may be repeated. */
export function repeated(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

export function dryRunOption(): Option {
  return new Option("--dry-run", "show what would be written, and write nothing");
}

export function overwriteOption(): Option {
  return new Option("--overwrite", "replace files that were changed by hand, without asking");
}

/** What `init` and `upgrade` take to go on after the files are written. */
export function deployOptions(command: Command): Command {
  return command
    .option("--deploy", "also migrate, deploy the function, and make a backup")
    .addOption(dbUrlOption("with --deploy: the project's database"))
    .option("--function-url <url>", "with --deploy: where the function answers");
}
