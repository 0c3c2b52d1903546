/** What an uninstallation must not leave in a database. */
import type { Sql } from "postgres";

/** Returns what of ours is still there: schemas, jobs, triggers, and what a drill works in. */
export async function uninstalledThings(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select nspname as name from pg_namespace where nspname in ('backup', 'versioning', 'versioning_private')
    union all select datname from pg_database where datname ~ 'backup'
    union all select rolname from pg_roles where rolname ~ 'backup'
    union all select jobname from cron.job where command ~ 'backup\\.|versioning\\.'
    union all select tgname from pg_trigger where tgname like '%versioning%'
    union all select evtname from pg_event_trigger where evtname ~ 'backup|versioning'`;
  return rows.map(({ name }) => name);
}
