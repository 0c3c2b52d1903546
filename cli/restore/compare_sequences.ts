/** Sequences and defaults: the next value of each column is free, and each table takes a further row. */
import type { Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Check } from "./check.ts";
import type { Plan } from "./plan.ts";
import { literal, quoted } from "./roles.ts";
import type { Target } from "./target.ts";

/** Columns that a sequence fills, of tables with rows of their own. */
const FILLED = `
  select format('%I.%I', n.nspname, c.relname) as "table", a.attname as column, s.oid::regclass::text as sequence,
    q.seqincrement > 0 as ascending
  from pg_catalog.pg_class s
  join pg_catalog.pg_sequence q on q.seqrelid = s.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
  join pg_catalog.pg_class c on c.oid = d.refobjid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
  where c.relkind in ('r', 'p') and not q.seqcycle
  order by 1, 2`;

interface Column {
  name: string;
  /** What the column gets in the trial row. */
  fill: "default" | "copy" | "none";
}

interface Filled {
  table: string;
  column: string;
  sequence: string;
  ascending: boolean;
}

interface State {
  last: string;
  called: boolean;
  next: string;
}

/**
 * Tries in a transaction that is rolled back. What sequences have counted is not, so they are set back afterwards: the target
 * was restored just now, and nobody else counts yet.
 */
export async function compareSequences(
  { sql }: Session,
  plan: Plan,
  { mayBeReplica }: Target,
): Promise<Check[]> {
  const tables = plan.restored.filter(({ desc }) => desc === "TABLE");
  const own = new Set(tables.map(({ namespace, tag }) => `${namespace}.${tag}`));
  const filled = (await sql.unsafe<(Filled & Record<string, unknown>)[]>(FILLED)).filter(({ table }) =>
    own.has(bare(table))
  );
  const states = await Promise.all(filled.map(({ sequence }) => stateOf(sql, sequence)));
  await sql.unsafe("begin");
  // Triggers would act; what they have made of a row is in its copy already.
  if (mayBeReplica) await sql.unsafe("set local session_replication_role = 'replica'");
  try {
    const checks = await Promise.all(filled.map((column, index) => isAhead(sql, column, states[index]!)));
    checks.push(
      ...await tryRows(sql, tables.map(({ namespace, tag }) => `${quoted(namespace!)}.${quoted(tag)}`)),
    );
    return checks;
  } finally {
    await sql.unsafe("rollback");
    for (const [index, { sequence }] of filled.entries()) {
      const { last, called } = states[index]!;
      await sql.unsafe(`select setval(${literal(sequence)}, ${last}, ${called})`);
    }
  }
}

async function stateOf(sql: Session["sql"], sequence: string): Promise<State> {
  const [row] = await sql.unsafe<(State & Record<string, unknown>)[]>(`
    select last_value::text as last, is_called as called,
      case when is_called then last_value + seqincrement else last_value end::text as next
    from ${sequence}, pg_catalog.pg_sequence where seqrelid = ${literal(sequence)}::regclass`);
  return row!;
}

async function isAhead(
  sql: Session["sql"],
  { table, column, ascending }: Filled,
  { next }: State,
): Promise<Check> {
  const [row] = await sql.unsafe<{ most: string | null }[]>(
    `select ${ascending ? "max" : "min"}(${quoted(column)})::bigint as most from ${table}`,
  );
  const most = row!.most;
  const free = most === null || (ascending ? BigInt(next) > BigInt(most) : BigInt(next) < BigInt(most));
  return {
    what: `sequence of ${table}.${column}`,
    outcome: free ? "passed" : "failed",
    detail: free
      ? `its next value, ${next}, is free`
      : `its next value is ${next}, and the column has ${most}`,
  };
}

/** A further row for each table: a copy of one that is there, with the defaults in columns that must differ. */
async function tryRows(sql: Session["sql"], tables: readonly string[]): Promise<Check[]> {
  const tried = { passed: 0, empty: 0, failed: [] as string[] };
  for (const table of tables) {
    await sql.unsafe("savepoint trial");
    try {
      const columns = await columnsOf(sql, table);
      const listed = columns.filter(({ fill }) => fill !== "none");
      const copied = listed.filter(({ fill }) => fill === "copy").map(({ name }) => quoted(name));
      if (listed.length === 0) continue;
      // Not even an insert of no row: triggers for statements would act.
      if (copied.length > 0 && (await sql.unsafe(`select from ${table} limit 1`)).length === 0) {
        tried.empty++;
        continue;
      }
      await sql.unsafe(
        copied.length === 0
          ? `insert into ${table} default values`
          : `insert into ${table} (${copied.join(", ")}) select ${copied.join(", ")} from ${table} limit 1`,
      );
      tried.passed++;
    } catch (error) {
      // A duplicate of a key without a default was to be expected, and shows that the key is kept.
      const { code, message } = error as { code?: string; message: string };
      if (code === "23505" || code === "23P01") tried.passed++;
      else tried.failed.push(`${table}: ${message}`);
    }
    await sql.unsafe("rollback to savepoint trial");
  }
  const what = "a further row for each table";
  return [
    ...(tried.passed > 0
      ? [{ what, outcome: "passed" as const, detail: `${tried.passed} tables take one, or keep their key` }]
      : []),
    ...(tried.empty > 0
      ? [{ what, outcome: "skipped" as const, detail: `${tried.empty} tables have no row to copy` }]
      : []),
    ...(tried.failed.length > 0
      ? [{ what, outcome: "failed" as const, detail: tried.failed.join("; ") }]
      : []),
  ];
}

async function columnsOf(sql: Session["sql"], table: string): Promise<Column[]> {
  return await sql.unsafe<(Column & Record<string, unknown>)[]>(
    `
    select attname as name,
      case
        when attgenerated <> '' then 'none'
        -- A copy of these would be a duplicate.
        when attidentity <> '' or (atthasdef and exists (
          select from pg_catalog.pg_index where indrelid = attrelid and indisunique and attnum = any (indkey)
        )) then 'default'
        else 'copy'
      end as fill
    from pg_catalog.pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
}

/** `schema.name` of a quoted name, as plans have it. */
function bare(table: string): string {
  return table.replace(/"((?:[^"]|"")*)"/g, (_, name: string) => name.replaceAll('""', '"'));
}
