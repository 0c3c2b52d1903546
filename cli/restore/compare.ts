/** Is what was restored what the backup holds? Definitions, rows, sequences, indexes, jobs: each looked at in the target itself. */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import type { ArchiveFile } from "./archive_file.ts";
import type { Check } from "./check.ts";
import { compareDefinitions } from "./compare_definitions.ts";
import { compareRows } from "./compare_rows.ts";
import { compareSequences } from "./compare_sequences.ts";
import { jobsOf } from "./cron_jobs.ts";
import type { Plan } from "./plan.ts";
import type { Target } from "./target.ts";

export { checksTable, summaryOf } from "./check.ts";

const LOCK_TIMEOUT_MS = 60_000;

export interface CompareOptions {
  /** The target was empty: what it has beyond the backup is wrong. */
  wasEmpty?: boolean;
  /** Called with what is looked at. */
  onCheck?: (what: string) => void;
}

/**
 * Compares the target of a restore by `plan` with the archive. The target is read in one snapshot; sequences are tried in a
 * transaction that is rolled back. `url` opens a session of its own, since `target`'s may be in use.
 */
export async function compareRestored(
  archive: ArchiveFile,
  manifest: Manifest | null,
  plan: Plan,
  target: Target,
  { wasEmpty = true, onCheck = () => {} }: CompareOptions = {},
): Promise<Check[]> {
  const session = await openSession(target.url, { applicationName: "supabase-backup check" });
  try {
    await beginSnapshot(session);
    onCheck("definitions");
    const dump = await readDump(session, { lockTimeoutMs: LOCK_TIMEOUT_MS });
    const checks = compareDefinitions(archive, plan, target, dump, wasEmpty);
    checks.push(...await compareRows(archive, manifest, plan, session, dump, onCheck));
    await session.sql.unsafe("commit");
    onCheck("sequences, indexes, jobs");
    checks.push(...await compareSequences(session, plan, target));
    checks.push(await validIndexes(session.sql), ...await compareJobs(archive, plan, target));
    return checks;
  } finally {
    await session.close();
  }
}

async function validIndexes(sql: Target["session"]["sql"]): Promise<Check> {
  const rows = await sql.unsafe<{ name: string; valid: boolean }[]>(`
    select i.indexrelid::regclass::text as name, i.indisvalid and i.indisready as valid
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_'`);
  const invalid = rows.filter(({ valid }) => !valid).map(({ name }) => name);
  return invalid.length === 0
    ? { what: "indexes are valid", outcome: "passed", detail: `${rows.length} indexes` }
    : { what: "indexes are valid", outcome: "failed", detail: `not valid: ${invalid.join(", ")}` };
}

async function compareJobs(archive: ArchiveFile, plan: Plan, { session: { sql } }: Target): Promise<Check[]> {
  const held = await jobsOf(archive);
  if (held.length === 0) return [];
  const what = "jobs of pg_cron, inactive";
  if (plan.jobs.length === 0) {
    return [{ what, outcome: "skipped", detail: `${held.length} jobs were not restored` }];
  }
  const found = await sql.unsafe<{ schedule: string; command: string; active: boolean }[]>(
    "select schedule, command, active from cron.job where database = current_database()",
  );
  const wrong = plan.jobs.filter(({ schedule, command }) =>
    !found.some((job) => job.schedule === schedule && job.command === command && !job.active)
  );
  return [{
    what,
    outcome: wrong.length === 0 ? "passed" : "failed",
    detail: wrong.length === 0
      ? `${plan.jobs.length} of ${held.length} jobs`
      : `missing or active: ${wrong.map(({ name, command }) => name ?? command).join(", ")}`,
  }];
}
