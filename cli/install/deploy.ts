/**
 * The steps after the files are written: migrate, deploy the function, tell the database its address, make the first
 * backup.
 */
import type { Sql } from "postgres";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { followRun } from "../project/follow_run.ts";
import type { Run } from "../project/function_client.ts";
import { CommandError } from "../terminal/errors.ts";
import { say } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { foreignBucket, OTHER_BUCKET } from "./foreign_bucket.ts";
import { readText } from "./project_folder.ts";
import type { SecondCopy } from "./second_copy.ts";
import { runSupabase, targetOptions } from "./supabase_cli.ts";
import { waitForRun } from "./wait_for_run.ts";

export interface DeployOptions {
  /** Stored in the settings; null leaves them as they are. */
  secondCopy?: SecondCopy | null;
  /** The project's database; without it the linked project is migrated, and the last steps are left to the person. */
  dbUrl: string | undefined;
  /** Where the function answers; found from the linked project without it. */
  functionUrl: string | undefined;
}

/** Returns the first backup's run; null where no database is named. Throws CommandError when a step fails. */
export async function deploy(
  root: string,
  { secondCopy = null, dbUrl, functionUrl }: DeployOptions,
): Promise<Run | null> {
  const url = functionUrl ?? await functionUrlOf(root);
  if (dbUrl !== undefined && url === null) {
    throw new CommandError(
      "No project is linked, so the function's address is not known",
      "Add --function-url, or link the project with `supabase link`.",
    );
  }
  await pushMigrations(root, dbUrl);
  await runSupabase(root, ["functions", "deploy", "backup"]);
  if (dbUrl === undefined || url === null) return null;
  return await withDatabase(dbUrl, (sql) => configureAndBackUp(sql, url, secondCopy));
}

/** `supabase db push`, to the linked project where no database is named. */
export async function pushMigrations(root: string, dbUrl: string | undefined): Promise<void> {
  if (dbUrl !== undefined) await withDatabase(dbUrl, (sql) => waitForRun(sql));
  try {
    await runSupabase(root, ["db", "push", ...await targetOptions(root, dbUrl)], ["db", "push"]);
  } catch (error) {
    // The CLI shows the error of a migration, and not its hint.
    if (dbUrl !== undefined && error instanceof CommandError) await withDatabase(dbUrl, refuseForeignBucket);
    throw error;
  }
}

async function refuseForeignBucket(sql: Sql): Promise<void> {
  const foreign = await foreignBucket(sql, false);
  if (foreign !== null) throw new CommandError(foreign, OTHER_BUCKET);
}

/** Opens a session, and closes it afterwards. */
export async function withDatabase<T>(dbUrl: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const session = await openSession(dbUrl, { applicationName: "supabase-backup init" });
  try {
    return await use(session.sql);
  } finally {
    await session.close();
  }
}

/** Tells the database the function's address, starts a backup, and follows it. */
async function configureAndBackUp(sql: Sql, url: string, secondCopy: SecondCopy | null): Promise<Run> {
  say(colors.bold(`▸ select backup.configure(function_url => '${url}')`));
  await sql`select backup.configure(function_url => ${url}, second_copy => ${secondCopy})`;
  say(colors.bold("▸ select backup.start('manual')"));
  const [started] = await sql<{ id: string }[]>`select backup.start('manual') as id`;
  const id = Number(started!.id);
  return await followRun(async () => {
    const [row] = await sql<{ run: Run }[]>`select to_jsonb(l) as run from backup.log l where id = ${id}`;
    return row!.run;
  }, id);
}

/** Returns the function's address in the linked project; null where none is linked. */
export async function functionUrlOf(root: string): Promise<string | null> {
  const ref = (await readText(root, "supabase/.temp/project-ref"))?.trim();
  return ref ? `https://${ref}.supabase.co/functions/v1/backup` : null;
}
