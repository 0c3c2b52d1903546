/**
 * Is what was restored what the backup holds? Definitions, rows, sequences, indexes, jobs: each looked at in
 * the target itself.
 */
import type { Manifest } from "../manifest/manifest.ts";
import { openSession, type Session } from "../postgres/session.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import type { Dump } from "../entry.ts";
import { readDump } from "../toc/dump.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Check } from "./check.ts";
import { searchPathOf } from "../restore/search_path.ts";
import { jobsIn } from "../restore_plan/archive_rows.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import { compareDefinitions } from "./definitions.ts";
import { rolesIn } from "../restore_guide/roles_sql.ts";
import { compareRoles } from "./roles.ts";
import { compareRows } from "./rows.ts";
import { compareSequences } from "./sequences.ts";

const LOCK_TIMEOUT_MS = 60_000;

export interface CompareOptions {
  /** The target was empty: what it has beyond the backup is wrong. */
  wasEmpty?: boolean;
  /** Labels of entries that are reported elsewhere as not restored as they were. */
  reported?: ReadonlySet<string>;
  /** Called with what is looked at. */
  onCheck?: (what: string) => void;
}

/**
 * Compares the target of a restore by `plan` with the archive. The target is read in one snapshot; sequences
 * are tried in a transaction that is rolled back.
 */
export async function compareRestored(
  archive: OpenArchive,
  manifest: Manifest | null,
  plan: Plan,
  target: TargetFacts & { url: string },
  { wasEmpty = true, reported = new Set(), onCheck = () => {} }: CompareOptions = {},
): Promise<Check[]> {
  const session = await openSession(target.url, { applicationName: "supabase-backup check" });
  try {
    // What follows the snapshot's transaction must not look for names where the restored database says.
    await session.sql.unsafe("set search_path = pg_catalog, pg_temp");
    await beginSnapshot(session);
    onCheck("definitions");
    const dump = await readDump(session, { lockTimeoutMs: LOCK_TIMEOUT_MS });
    const checks = compareDefinitions(archive, plan, target, dump, wasEmpty, reported);
    checks.push(...await compareRows(archive, manifest, plan, session, dump, onCheck));
    checks.push(...compareExtensions(manifest, dump));
    checks.push(...compareRoles(rolesIn(archive.entries), rolesIn(dump.entries)!, plan));
    await session.sql.unsafe("commit");
    onCheck("sequences, indexes, jobs");
    checks.push(...await compareSequences(session, plan, target, searchPathOf(archive.entries)));
    checks.push(await validIndexes(session.sql), ...await compareJobs(archive, plan, session));
    return checks;
  } finally {
    await session.close();
  }
}

/** Another version may behave otherwise; whether it does is for a person to know. */
function compareExtensions(manifest: Manifest | null, dump: Dump): Check[] {
  const there = new Map(dump.extensions.map(({ name, version }) => [name, version]));
  const held = (manifest?.extensions ?? []).filter(({ name }) => there.has(name));
  if (held.length === 0) return [];
  const what = "versions of extensions";
  const others = held.filter(({ name, version }) => there.get(name) !== version);
  if (others.length === 0) return [{ what, outcome: "passed", detail: `${held.length} as in the backup` }];
  const detail = others.map(({ name, version }) => `${name} ${there.get(name)} instead of ${version}`).join(
    "; ",
  );
  return [{ what, outcome: "unchecked", detail }];
}

/**
 * An index of a partitioned table is not valid as long as a partition lacks its part, which the definitions
 * tell.
 */
export async function validIndexes(sql: Session["sql"]): Promise<Check> {
  const rows = await sql.unsafe<{ name: string; valid: boolean; partial: boolean }[]>(`
    select i.indexrelid::pg_catalog.regclass::pg_catalog.text as name, i.indisvalid and i.indisready as valid,
      c.relkind = 'I' and (select pg_catalog.count(*) from pg_catalog.pg_inherits h where h.inhparent = i.indexrelid)
        < (select pg_catalog.count(*) from pg_catalog.pg_inherits h where h.inhparent = i.indrelid) as partial
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_'`);
  const invalid = rows.filter(({ valid, partial }) => !valid && !partial).map(({ name }) => name);
  return invalid.length === 0
    ? { what: "indexes are valid", outcome: "passed", detail: `${rows.length} indexes` }
    : { what: "indexes are valid", outcome: "failed", detail: `not valid: ${invalid.join(", ")}` };
}

async function compareJobs(archive: OpenArchive, plan: Plan, { sql }: Session): Promise<Check[]> {
  const held = await jobsIn(archive);
  if (held.length === 0) return [];
  const what = "jobs of pg_cron, inactive";
  if (plan.jobs.length === 0) {
    return [{ what, outcome: "skipped", detail: `${held.length} jobs were not restored` }];
  }
  const found = await sql.unsafe<{ schedule: string; command: string; active: boolean }[]>(
    "select schedule, command, active from cron.job where database = pg_catalog.current_database()",
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
