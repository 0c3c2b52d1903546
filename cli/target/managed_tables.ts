/** Tables of the platform that an archive has rows for, as the target has them. */
import type { ManagedTable } from "../../supabase/functions/backup/restore_plan/context.ts";
import { classifyForProject } from "../../supabase/functions/backup/restore_guide/project_entries.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { Target } from "./target.ts";

/** A trigger of row or statement that fires for inserts, and columns that can be written, in order. */
const QUERY = `
  select n.nspname || '.' || c.relname as name,
    (select pg_catalog.min(tgname) from pg_catalog.pg_trigger
     where tgrelid = c.oid and not tgisinternal and tgtype & 4 = 4 and tgenabled in ('O', 'A')) as trigger,
    exists (select from pg_catalog.pg_constraint where conrelid = c.oid and contype = 'f') as refers,
    pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'insert') as insertable,
    (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
        a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum)
     from pg_catalog.pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname in (select pg_catalog.jsonb_array_elements_text($1::pg_catalog.text::pg_catalog.jsonb))`;

/** Returns them by `schema.table`. */
export async function readManagedTables(
  { session: { sql } }: Target,
  archive: readonly Entry[],
): Promise<Map<string, ManagedTable>> {
  const names = classifyForProject(archive).filter(({ entry, ofPlatform }) =>
    ofPlatform && entry.desc === "TABLE DATA"
  )
    .map(({ entry: { namespace, tag } }) => `${namespace}.${tag}`);
  const rows = await sql.unsafe<
    (Omit<ManagedTable, "columns"> & { name: string; columns: [string, string][] | null })[]
  >(QUERY, [JSON.stringify(names)]);
  return new Map(
    rows.map(({ name, columns, ...table }) => [name, { ...table, columns: new Map(columns ?? []) }]),
  );
}
