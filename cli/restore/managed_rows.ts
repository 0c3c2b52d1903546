/** Rows for tables that the platform has made: through a table of texts, so that columns may differ and rows may be there already. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { columnsOf } from "./copy_text.ts";
import { sqlEntry } from "./prepared.ts";
import { quietly } from "./quiet.ts";
import { quoted } from "./roles.ts";
import type { Target } from "./target.ts";

const STAGE = "backup_restore";

export interface ManagedRows {
  /** To be restored before everything else. */
  entries: Entry[];
  /** The entry after which the rows are there; null when there are none. */
  done: number | null;
  notes: string[];
}

/**
 * `data` are TABLE DATA entries in the order in which the rows must come. Rows that the target has by some key stay as they are;
 * columns that it has not are left out, and told.
 */
export async function managedRows(
  data: readonly Entry[],
  target: Target,
  nextId: () => number,
): Promise<ManagedRows> {
  const notes: string[] = [];
  const before: Entry[] = [];
  const staged: Entry[] = [];
  const inserts: string[] = [];
  for (const entry of data) {
    const name = `${entry.namespace}.${entry.tag}`;
    const types = await columnTypes(target, entry);
    if (types.size === 0) {
      notes.push(`${name}: the target has no such table: its rows are left out`);
      continue;
    }
    const columns = columnsOf(entry.copy!);
    const shared = columns.filter((column) => types.has(column));
    const lost = columns.filter((column) => !types.has(column));
    if (lost.length > 0) {
      notes.push(`${name}: the target has no column ${lost.join(", ")}: their values are left out`);
    }
    const stage = `${STAGE}.${quoted(name)}`;
    const made = sqlEntry(
      nextId(),
      `stage ${name}`,
      `CREATE TABLE ${stage} (${columns.map((column) => `${quoted(column)} text`).join(", ")});\n`,
      "pre-data",
    );
    before.push(made);
    const copy = `COPY ${stage} (${columns.map(quoted).join(", ")}) FROM stdin;\n`;
    staged.push({ ...entry, namespace: STAGE, tag: name, copy, owner: null, dependencies: [made.dumpId] });
    const insert =
      `INSERT INTO ${quoted(entry.namespace!)}.${quoted(entry.tag)} (${shared.map(quoted).join(", ")})\n` +
      `SELECT ${
        shared.map((column) => `${quoted(column)}::${types.get(column)}`).join(", ")
      } FROM ${stage}\n` +
      `ON CONFLICT DO NOTHING;\n`;
    const { sql, loud } = await quietly(target, entry, insert);
    if (loud !== null) notes.push(`${name}: its trigger ${loud} acts on the rows that come back`);
    inserts.push(sql);
  }
  if (inserts.length === 0) return { entries: [], done: null, notes };
  const schema = sqlEntry(nextId(), `schema ${STAGE}`, `CREATE SCHEMA ${STAGE};\n`, "pre-data");
  const insert = sqlEntry(
    nextId(),
    "rows of the platform's tables",
    `${inserts.join("")}DROP SCHEMA ${STAGE} CASCADE;\n`,
    "post-data",
    staged.map(({ dumpId }) => dumpId),
  );
  return { entries: [schema, ...before, ...staged, insert], done: insert.dumpId, notes };
}

/** Types of the columns that can be written, by name. */
async function columnTypes(
  { session: { sql } }: Target,
  { namespace, tag }: Entry,
): Promise<Map<string, string>> {
  const rows = await sql.unsafe<{ name: string; type: string }[]>(
    `
    select a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by a.attnum`,
    [namespace, tag],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}
