/** Function and schema are installed by two commands, so one may be newer: that is said before anything is touched. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { compareVersions, VERSION, worksWith } from "../version.ts";

/** SQLSTATEs of a schema, or a function in it, that does not exist. */
const MISSING = ["3F000", "42883"];

/**
 * Throws BackupError `version_mismatch` unless the schema has the same major and minor version as this function, or
 * `not_installed`.
 */
export async function checkVersion(control: Session): Promise<void> {
  const schema = await schemaVersion(control);
  if (worksWith(schema, VERSION)) return;
  const older = compareVersions(schema, VERSION) < 0;
  throw new BackupError(
    "version_mismatch",
    `The function is version ${VERSION}, the schema "backup" is version ${schema}`,
    older
      ? "Apply the migrations of this version: run `supabase-backup upgrade` in the project's folder, then `supabase db push`."
      : "Deploy the function of the schema's version: run `supabase-backup upgrade`, then `supabase functions deploy backup`.",
  );
}

/** Returns the version of the database's schema. Throws BackupError `not_installed` where there is none. */
export async function schemaVersion({ sql }: Pick<Session, "sql">): Promise<string> {
  try {
    const [row] = await sql<{ version: string }[]>`select backup.version() as version`;
    return row!.version;
  } catch (error) {
    const { code } = error as { code?: string };
    if (!MISSING.includes(code ?? "")) throw error;
    throw new BackupError(
      "not_installed",
      'The database has no schema "backup", or one from before version 0.1.0',
      "Apply the migrations: run `supabase db push` in the project's folder. `supabase-backup doctor` says what else is missing.",
      error,
    );
  }
}
