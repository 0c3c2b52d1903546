/**
 * Rows for tables that the platform creates go through a staging table of texts, since columns may differ and
 * rows may exist.
 */
import { inOrderOfKeys } from "../restore_guide/key_order.ts";
import type { Entry } from "../entry.ts";
import type { ManagedTable, PlanContext, TargetFacts } from "./context.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { isHeading, type PlanStep, sqlEntry } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

const STAGE = "backup_restore";

interface Staged {
  create: Entry;
  rows: Entry;
  insert: Entry;
  notes: string[];
}

/**
 * Adds the rows before everything that refers to them: foreign keys, triggers, and rows of existing tables.
 */
export const addManagedRows: PlanStep = (context, plan) => {
  const data = inOrderOfKeys(plan.rows, context.archive);
  if (data.length === 0) return {};
  // Each has a stage and an insert, and all have one schema, created and dropped.
  const ids = { schema: plan.lastId + 1, drop: plan.lastId + 2, next: plan.lastId + 3 };
  const staged = data.map((entry, index) => stage(entry, ids.next + 2 * index, ids.schema, context));
  const inserts = staged.map(({ insert }) => insert);
  const schema = sqlEntry(ids.schema, `schema ${STAGE}`, `CREATE SCHEMA ${STAGE};\n`, "pre-data");
  const drop = sqlEntry(
    ids.drop,
    `end of schema ${STAGE}`,
    `DROP SCHEMA ${STAGE} CASCADE;\n`,
    "post-data",
    inserts.map(({ dumpId }) => dumpId),
  );
  return {
    rows: data,
    notes: staged.flatMap(({ notes }) => notes),
    lastId: ids.next + 2 * data.length,
    entries: [
      ...plan.entries.filter(isHeading),
      schema,
      ...staged.map(({ create }) => create),
      ...staged.map(({ rows }) => rows),
      ...inserts,
      drop,
      ...plan.entries.filter((entry) => !isHeading(entry)).map((entry) =>
        waiting(entry, drop.dumpId, context)
      ),
    ],
  };
};

function waiting(entry: Entry, done: number, { options }: PlanContext): Entry {
  const { desc, dependencies } = entry;
  const waits = desc === "FK CONSTRAINT" || desc === "TRIGGER" || (options.dataOnly && desc === "TABLE DATA");
  return waits ? { ...entry, dependencies: [...dependencies, done] } : entry;
}

/** Rows that the target has by some key stay as they are. Columns that it lacks are left out, with a note. */
function stage(
  entry: Entry,
  dumpId: number,
  schemaId: number,
  { target, managedTables }: PlanContext,
): Staged {
  const name = `${entry.namespace}.${entry.tag}`;
  const table = managedTables.get(name)!;
  const columns = columnsOf(entry.copy!);
  const shared = columns.filter((column) => table.columns.has(column));
  const lost = columns.filter((column) => !table.columns.has(column));
  const notes = lost.length === 0
    ? []
    : [`${name}: the target has no column ${lost.join(", ")}; the values are left out`];
  const stage = `${STAGE}.${quoted(name)}`;
  const create = `CREATE TABLE ${stage} (${columns.map((column) => `${quoted(column)} text`).join(", ")});\n`;
  const copy = `COPY ${stage} (${columns.map(quoted).join(", ")}) FROM stdin;\n`;
  const list = shared.map(quoted).join(", ");
  const insert =
    `INSERT INTO ${quoted(entry.namespace!)}.${quoted(entry.tag)} (${list}) OVERRIDING SYSTEM VALUE\n` +
    `SELECT ${
      shared.map((column) => `${quoted(column)}::${table.columns.get(column)}`).join(", ")
    } FROM ${stage}\n` +
    `ON CONFLICT DO NOTHING;\n`;
  const { sql, loud } = withoutTriggers(insert, table, target);
  return {
    create: sqlEntry(dumpId, `stage ${name}`, create, "pre-data", [schemaId]),
    rows: { ...entry, namespace: STAGE, tag: name, copy, owner: null, dependencies: [dumpId] },
    insert: sqlEntry(dumpId + 1, `rows of ${name}`, sql, "post-data", [entry.dumpId]),
    notes: loud === null ? notes : [...notes, `${name}: trigger ${loud} fires for the restored rows`],
  };
}

/**
 * Returns the statement so that it fires no trigger, where that is possible: only the owner can disable
 * triggers, and as a replica the statement checks no foreign keys either. `loud` names a trigger that still
 * fires.
 */
function withoutTriggers(
  statement: string,
  { trigger, refers }: ManagedTable,
  { mayBeReplica }: TargetFacts,
): { sql: string; loud: string | null } {
  if (trigger === null) return { sql: statement, loud: null };
  if (!mayBeReplica || refers) return { sql: statement, loud: trigger };
  return {
    sql:
      `SET LOCAL session_replication_role = replica;\n${statement}SET LOCAL session_replication_role = DEFAULT;\n`,
    loud: null,
  };
}
