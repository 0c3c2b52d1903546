/** What of an archive's objects a target has already. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import type { Target } from "./target.ts";

export interface Present {
  /** True when an object of the entry's kind and name is there. Kinds that are not asked about are not. */
  has(entry: Entry): boolean;
  /** True when there is a table of this name. */
  hasTable(schema: string, name: string): boolean;
}

/** Kind, schema and tag, as an entry has them. */
const QUERY = `
  select case relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind, n.nspname as schema, relname as tag
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select case typtype when 'd' then 'DOMAIN' else 'TYPE' end, n.nspname, typname
  from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  union all
  select 'FUNCTION', n.nspname, proname || '(' || pg_catalog.oidvectortypes(proargtypes) || ')'
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  union all
  select 'POLICY', n.nspname, relname || ' ' || polname
  from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  union all
  select 'TRIGGER', n.nspname, relname || ' ' || tgname
  from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not tgisinternal
  union all
  select 'FK CONSTRAINT', n.nspname, relname || ' ' || conname
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where contype = 'f'
  union all
  select 'PUBLICATION', null, pubname from pg_catalog.pg_publication
  union all
  select 'PUBLICATION TABLE', n.nspname, pubname || ' ' || relname
  from pg_catalog.pg_publication_rel r join pg_catalog.pg_publication p on p.oid = r.prpubid
  join pg_catalog.pg_class c on c.oid = r.prrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace`;

const SAME_KIND: Record<string, string> = {
  VIEW: "TABLE",
  "MATERIALIZED VIEW": "TABLE",
  "FOREIGN TABLE": "TABLE",
  PROCEDURE: "FUNCTION",
  "SHELL TYPE": "TYPE",
};

export async function presentIn({ session: { sql }, schemas, extensions }: Target): Promise<Present> {
  const rows = await sql.unsafe<{ kind: string; schema: string | null; tag: string }[]>(QUERY);
  const found = new Set(rows.map(({ kind, schema, tag }) => JSON.stringify([kind, schema, tag])));
  return {
    has({ desc, namespace, tag }) {
      if (desc === "SCHEMA") return schemas.has(tag);
      if (desc === "EXTENSION") return extensions.has(tag);
      return found.has(JSON.stringify([SAME_KIND[desc] ?? desc, namespace, tag]));
    },
    hasTable: (schema, name) => found.has(JSON.stringify(["TABLE", schema, name])),
  };
}
