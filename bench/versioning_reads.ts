/**
 * What it costs to find one row's versions among many: the verbs for single rows, with a short history and with a long
 * one, as the owner and as somebody whose row level security is asked.
 */
import type postgres from "postgres";
import { median } from "./measure.ts";

const VERBS: Record<string, string> = {
  "versions()": "select * from versioning.versions('bench.tracked', $1)",
  "diff()": "select versioning.diff(max(id)) from versioning.versions('bench.tracked', $1)",
  "as_of(), one row": "select versioning.as_of('bench.tracked', now(), $1)",
  "restore()": "select versioning.restore(min(id)) from versioning.versions('bench.tracked', $1)",
};
const ROLES = ["postgres", "authenticated"];
const CALLS = 50;
const POLICY = `
  grant usage on schema bench to authenticated;
  grant select, insert, update, delete on bench.tracked to authenticated;
  alter table bench.tracked enable row level security;
  drop policy if exists "not hidden" on bench.tracked;
  create policy "not hidden" on bench.tracked to authenticated using (statut <> 'masque')`;

/**
 * A row's ten versions, its creation and nine updates, among `versions` of all. Returns ms of CPU for each verb as each
 * role.
 */
export async function readCosts(sql: postgres.Sql, versions: number): Promise<Record<string, number>> {
  await sql`select bench.empty()`;
  await sql.unsafe(POLICY).simple();
  // That the index is used is for the planner to decide.
  await sql`reset enable_seqscan`;
  await sql`insert into bench.tracked select * from bench.source limit ${versions / 10}`;
  for (let update = 1; update < 10; update++) {
    await sql`update bench.tracked set prix_plein = prix_plein + ${update}`;
  }
  await sql`analyze versioning.records`;
  await sql`vacuum analyze bench.tracked`;
  const [{ count, pid } = { count: 0, pid: 0 }] = await sql`
    select count(*)::int as count, pg_backend_pid() as pid from versioning.records`;
  if (count !== versions) throw new Error(`there are ${count} versions, not ${versions}`);
  const rows = await sql`select id::text from bench.tracked order by md5('bench' || id::text) limit ${CALLS}`;
  const costs: Record<string, number> = {};
  for (const role of ROLES) {
    await sql.unsafe(`set role ${role}`);
    for (const [verb, statement] of Object.entries(VERBS)) {
      const each: number[] = [];
      for (const { id } of rows) {
        const begun = cpuMicroseconds(pid);
        await sql.unsafe(statement, [id], { prepare: true });
        each.push((cpuMicroseconds(pid) - begun) / 1000);
      }
      costs[`${verb}, ${role}`] = median(each);
    }
    await sql`reset role`;
  }
  const ofAll: Record<string, string> = {
    "rows_as_of(), all rows": "select count(titre) from versioning.rows_as_of(null::bench.tracked, now())",
    "prune(), half of all": "select versioning.prune()",
  };
  await sql`select versioning.track('bench.tracked', keep_versions => 5)`;
  for (const [verb, statement] of Object.entries(ofAll)) {
    const begun = cpuMicroseconds(pid);
    await sql.unsafe(statement);
    costs[verb] = (cpuMicroseconds(pid) - begun) / 1000;
  }
  return costs;
}

/** The first figure of schedstat: nanoseconds that the process was on a CPU. */
export function cpuMicroseconds(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]) / 1000;
}
