/**
 * Checks sequences and defaults: the next value of each column is free, and each table accepts a further row.
 */
import type { Session } from "../postgres/session.ts";
import type { Entry } from "../entry.ts";
import type { Check } from "./check.ts";
import { isServerError, isUnresolved, type ServerError } from "../restore/server_error.ts";
import { pathFor } from "../restore/search_path.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import { literal, quoted } from "../restore_plan/sql_text.ts";

/** Columns that a sequence fills, of tables with rows of their own. */
const FILLED = `
  select pg_catalog.format('%I.%I', n.nspname, c.relname) as "table", a.attname as column,
    s.oid::pg_catalog.regclass::pg_catalog.text as sequence, q.seqincrement > 0 as ascending
  from pg_catalog.pg_class s
  join pg_catalog.pg_sequence q on q.seqrelid = s.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = s.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
  join pg_catalog.pg_class c on c.oid = d.refobjid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
  join pg_catalog.pg_type t on t.oid = a.atttypid
  where c.relkind in ('r', 'p') and not q.seqcycle
    -- A sequence may belong to a column of any type, whose owner's functions would compare its values.
    and coalesce(nullif(t.typbasetype, 0), t.oid) in (20, 21, 23, 1700)
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
 * Tries in a transaction that is rolled back. Sequences keep what they counted, so they are reset afterwards;
 * nobody else uses a target that was restored just now. `path` is the backed-up database's search_path.
 */
export async function compareSequences(
  { sql }: Session,
  plan: Plan,
  { mayBeReplica }: TargetFacts,
  path: string,
): Promise<Check[]> {
  const tables = plan.restored.filter(({ desc }) => desc === "TABLE");
  const own = new Set(tables.map(({ namespace, tag }) => `${namespace}.${tag}`));
  const filled = (await sql.unsafe<(Filled & Record<string, unknown>)[]>(FILLED)).filter(({ table }) =>
    own.has(bare(table))
  );
  const states = await Promise.all(filled.map(({ sequence }) => stateOf(sql, sequence)));
  await sql.unsafe("begin");
  // Without triggers: the copied row has their effects already.
  if (mayBeReplica) await sql.unsafe("set local session_replication_role = 'replica'");
  try {
    const checks = await Promise.all(filled.map((column, index) => isAhead(sql, column, states[index]!)));
    checks.push(...await tryRows(sql, plan, tables, path));
    return checks;
  } finally {
    await sql.unsafe("rollback");
    for (const [index, { sequence }] of filled.entries()) {
      const { last, called } = states[index]!;
      await sql.unsafe(`select pg_catalog.setval(${literal(sequence)}, ${last}, ${called})`);
    }
  }
}

async function stateOf(sql: Session["sql"], sequence: string): Promise<State> {
  const [row] = await sql.unsafe<(State & Record<string, unknown>)[]>(`
    select last_value::pg_catalog.text as last, is_called as called,
      case when is_called then last_value + seqincrement else last_value end::pg_catalog.text as next
    from ${sequence}, pg_catalog.pg_sequence where seqrelid = ${literal(sequence)}::pg_catalog.regclass`);
  return row!;
}

async function isAhead(
  sql: Session["sql"],
  { table, column, ascending }: Filled,
  { next }: State,
): Promise<Check> {
  const [row] = await sql.unsafe<{ most: string | null }[]>(
    `select pg_catalog.${ascending ? "max" : "min"}(${
      quoted(column)
    })::pg_catalog.int8 as most from ${table}`,
  );
  const most = row!.most;
  const free = most === null || (ascending ? BigInt(next) > BigInt(most) : BigInt(next) < BigInt(most));
  return {
    what: `sequence of ${table}.${column}`,
    outcome: free ? "passed" : "failed",
    detail: free
      ? `its next value, ${next}, is free`
      : `its next value is ${next}, but the column has ${most}`,
  };
}

/**
 * Inserts a further row into each table: a copy of an existing one, with defaults in columns that must be
 * unique.
 */
async function tryRows(
  sql: Session["sql"],
  plan: Plan,
  tables: readonly Entry[],
  path: string,
): Promise<Check[]> {
  const excused = notValidIn(plan);
  const tried = { passed: 0, empty: 0, notValid: [] as string[], failed: [] as string[] };
  for (const { namespace, tag } of tables) {
    const table = `${quoted(namespace!)}.${quoted(tag)}`;
    let found = await tryRow(sql, table);
    // Functions of checks and generated columns may name what they need without a schema.
    if (isServerError(found) && isUnresolved(found)) {
      found = await tryRow(sql, table, pathFor(path, { namespace }));
    }
    if (found === null) continue;
    if (found === "taken") tried.passed++;
    else if (found === "empty") tried.empty++;
    // A duplicate of a key without a default is expected, and shows that the key is enforced.
    else if (found.code === "23505" || found.code === "23P01") tried.passed++;
    else if (excused.has(JSON.stringify([namespace, `${tag} ${found.constraint_name}`]))) {
      tried.notValid.push(`${table} ${found.constraint_name}`);
    } else tried.failed.push(`${table}: ${found.message}`);
  }
  const what = "a further row for each table";
  return [
    ...(tried.passed > 0
      ? [{
        what,
        outcome: "passed" as const,
        detail: `${tried.passed} tables accept one, or enforce their key`,
      }]
      : []),
    ...(tried.empty > 0
      ? [{ what, outcome: "skipped" as const, detail: `${tried.empty} tables have no row to copy` }]
      : []),
    ...(tried.notValid.length > 0
      ? [{
        what,
        outcome: "unchecked" as const,
        detail: `existing rows violate NOT VALID constraints: ${tried.notValid.join("; ")}`,
      }]
      : []),
    ...(tried.failed.length > 0
      ? [{ what, outcome: "failed" as const, detail: tried.failed.join("; ") }]
      : []),
  ];
}

/**
 * Returns whether the table takes a further row, the server's error where it does not, "empty" where there is no row to
 * copy, null where there is no column to fill. Nothing of it stays.
 */
async function tryRow(
  sql: Session["sql"],
  table: string,
  path?: string,
): Promise<"taken" | "empty" | ServerError | null> {
  await sql.unsafe("savepoint trial");
  try {
    const columns = (await columnsOf(sql, table)).filter(({ fill }) => fill !== "none");
    if (columns.length === 0) return null;
    const copied = columns.filter(({ fill }) => fill === "copy").map(({ name }) => quoted(name)).join(", ");
    // Not even an insert of no row: triggers for statements would act.
    if (copied !== "" && (await sql.unsafe(`select from ${table} limit 1`)).length === 0) return "empty";
    if (path !== undefined) await sql.unsafe(`set local search_path = ${path}`);
    await sql.unsafe(
      copied === ""
        ? `insert into ${table} default values`
        : `insert into ${table} (${copied}) select ${copied} from ${table} limit 1`,
    );
    return "taken";
  } catch (error) {
    if (!isServerError(error)) throw error;
    return error;
  } finally {
    await sql.unsafe("rollback to savepoint trial; release savepoint trial");
  }
}

/**
 * Keys of constraints that are NOT VALID in the backup: rows from before them, of which one is copied, need
 * not keep them.
 */
function notValidIn({ restored }: Plan): Set<string> {
  return new Set(
    restored.filter(({ desc, definition }) =>
      /^(CHECK|FK) CONSTRAINT$/.test(desc) && / NOT VALID;\n/.test(definition ?? "")
    )
      .map(({ namespace, tag }) => JSON.stringify([namespace, tag])),
  );
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
    from pg_catalog.pg_attribute where attrelid = $1::pg_catalog.text::pg_catalog.regclass and attnum > 0 and not attisdropped`,
    [table],
  );
}

/** `schema.name` of a quoted name, as plans have it. */
function bare(table: string): string {
  return table.replace(/"((?:[^"]|"")*)"/g, (_, name: string) => name.replaceAll('""', '"'));
}
