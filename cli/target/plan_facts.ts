/** Smaller things that a plan asks of the target: triggers, jobs of pg_cron, the settings of backups. */
import type { BackupSettings, Trigger } from "../../supabase/functions/backup/restore_plan/context.ts";
import { keyOfJob } from "../../supabase/functions/backup/restore_plan/cron_jobs.ts";
import type { Target } from "./target.ts";

const TRIGGERS = `
  select n.nspname as schema, c.relname as table, t.tgname as name, t.tgenabled = 'A' as always
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal and t.tgenabled in ('O', 'A')
  order by 1, 2, 3`;

/** Reads the triggers that would fire. */
export async function readTriggers({ session: { sql } }: Target): Promise<Trigger[]> {
  return [...await sql.unsafe<(Trigger & Record<string, unknown>)[]>(TRIGGERS)];
}

/** Reads the version of each extension that is installed, or would be created. */
export async function readExtensionVersions({ session: { sql } }: Target): Promise<Map<string, string>> {
  const rows = await sql.unsafe<{ name: string; version: string }[]>(
    "select name, coalesce(installed_version, default_version) as version from pg_catalog.pg_available_extensions",
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
}

/** Reads the keys of the jobs that pg_cron has for this database. */
export async function readJobs({ session: { sql }, extensions }: Target): Promise<Set<string>> {
  if (!extensions.has("pg_cron")) return new Set();
  const rows = await sql.unsafe<{ name: string | null; schedule: string; command: string }[]>(
    "select jobname as name, schedule, command from cron.job where database = pg_catalog.current_database()",
  );
  return new Set(rows.map(keyOfJob));
}

/** Reads the names of Vault's secrets; none where there is no Vault, or none that this role may see. */
export async function readSecretNames({ session: { sql }, extensions }: Target): Promise<Set<string>> {
  if (!extensions.has("supabase_vault")) return new Set();
  try {
    const rows = await sql.unsafe<{ name: string | null }[]>("select name from vault.secrets");
    return new Set(rows.flatMap(({ name }) => name ?? []));
  } catch (error) {
    if (["42P01", "42501"].includes((error as { code?: string }).code ?? "")) return new Set();
    throw error;
  }
}

/**
 * Reads the target's row of backup.settings; nothing where no backups were set up, or none that this role may
 * see.
 */
export async function readSettings({ session: { sql }, schemas }: Target): Promise<BackupSettings> {
  if (!schemas.has("backup")) return {};
  try {
    const [row] = await sql.unsafe<{ settings: BackupSettings }[]>(
      "select pg_catalog.to_jsonb(s) as settings from backup.settings s",
    );
    return row?.settings ?? {};
  } catch (error) {
    // No such table, or not for this role.
    if (["42P01", "42501"].includes((error as { code?: string }).code ?? "")) return {};
    throw error;
  }
}
