/** Rows come back without the triggers that acted when they first came: what these made is in the backup itself. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { quoted } from "./roles.ts";
import type { Target } from "./target.ts";

export interface Quiet {
  /** Before the rows and after them; "" when there is nothing to switch off. */
  off: string;
  on: string;
}

interface Trigger {
  schema: string;
  table: string;
  name: string;
  /** `ENABLE ALWAYS` fires for replicas too. */
  always: boolean;
}

const TRIGGERS = `
  select n.nspname as schema, c.relname as table, t.tgname as name, t.tgenabled = 'A' as always
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal and t.tgenabled in ('O', 'A')
  order by 1, 2, 3`;

/** For tables whose owner restores. Foreign keys stay in force: their triggers are not a user's. */
export async function quietTables({ session: { sql } }: Target, data: readonly Entry[]): Promise<Quiet> {
  const filled = new Set(data.map(({ namespace, tag }) => JSON.stringify([namespace, tag])));
  const found = await sql.unsafe<(Trigger & Record<string, unknown>)[]>(TRIGGERS);
  const triggers = found.filter(({ schema, table }) => filled.has(JSON.stringify([schema, table])));
  const each = (verb: (trigger: Trigger) => string) =>
    triggers.map((trigger) =>
      `ALTER TABLE ${quoted(trigger.schema)}.${quoted(trigger.table)} ${verb(trigger)} TRIGGER ${
        quoted(trigger.name)
      };\n`
    ).join("");
  return { off: each(() => "DISABLE"), on: each(({ always }) => always ? "ENABLE ALWAYS" : "ENABLE") };
}

/**
 * A statement that fills a table of the platform, whose triggers only its owner may switch off. As a replica's the statement fires none, and
 * checks no foreign key: so only for tables that have none. `loud` names a trigger that will act all the same.
 */
export async function quietly(
  { session: { sql }, mayBeReplica }: Target,
  { namespace, tag }: Entry,
  statement: string,
): Promise<{ sql: string; loud: string | null }> {
  const [found] = await sql.unsafe<{ trigger: string | null; refers: boolean }[]>(
    `
    select
      (select min(tgname) from pg_catalog.pg_trigger
       where tgrelid = c.oid and not tgisinternal and tgtype & 4 = 4 and tgenabled in ('O', 'A')) as trigger,
      exists (select from pg_catalog.pg_constraint where conrelid = c.oid and contype = 'f') as refers
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2`,
    [namespace, tag],
  );
  if (!found?.trigger) return { sql: statement, loud: null };
  if (!mayBeReplica || found.refers) return { sql: statement, loud: found.trigger };
  return {
    sql:
      `SET LOCAL session_replication_role = replica;\n${statement}SET LOCAL session_replication_role = DEFAULT;\n`,
    loud: null,
  };
}
