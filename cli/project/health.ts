/** Asks the function, or the database itself, for the health of the backups. */
import { findProject } from "./find_project.ts";
import { call, readRuns, type Run } from "./function_client.ts";
import { expectSchema } from "./versions.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";

export type Severity = "failing" | "warning" | "info";

/** The row of `backup.health`. */
export interface Health {
  verdict: "ok" | "warning" | "failing";
  reasons: { code: string; severity: Severity; message: string; hint: string }[];
  facts: {
    newest_backup: string | null;
    backups: number;
    schedule: string | null;
    longest_wait: string | null;
    bucket: string;
    last_drill: string | null;
  } | null;
  checked_at: string;
}

/** Among these there is one that succeeded, unless backups have been failing for long. */
const LAST_RUNS = 100;

export async function askFunction(): Promise<Health> {
  return (await call<{ health: Health }>(await findProject(), { health: true })).health;
}

export async function askDatabase(url: string): Promise<Health> {
  const session = await openSession(url, { applicationName: "supabase-backup health" });
  const { sql } = session;
  try {
    await expectSchema(sql);
    const [row] = await sql<{ health: Health }[]>`select to_jsonb(h) as health from backup.health h`;
    return row!.health;
  } finally {
    await session.close();
  }
}

/** Rows of the log, newest first, from where the health is asked. */
export async function readLastRuns(databaseUrl?: string): Promise<Run[]> {
  if (databaseUrl === undefined) return await readRuns(await findProject(), { limit: LAST_RUNS });
  const session = await openSession(databaseUrl, { applicationName: "supabase-backup health" });
  try {
    const rows = await session.sql<{ run: Run }[]>`
      select pg_catalog.to_jsonb(l) as run from backup.log l order by l.id desc limit ${LAST_RUNS}`;
    return rows.map(({ run }) => run);
  } finally {
    await session.close();
  }
}
