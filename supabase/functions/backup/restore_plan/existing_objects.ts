/** What of an archive's objects a target has already. */
import type { Session } from "../postgres/session.ts";
import type { ExistingObjects, TargetFacts } from "./context.ts";

/** Kind, schema and tag, as an entry has them, of what belongs to others than `$1`. */
const QUERY = `
  with relations as (
    select c.oid, n.nspname, relname, relkind, relowner as owner
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  ), found (kind, schema, tag, owner) as (
    -- The first of them decides the type, and a name is cut off after 63 bytes.
    select case relkind when 'S' then 'SEQUENCE' else 'TABLE' end, nspname, relname::pg_catalog.text, owner
    from relations
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select case typtype when 'd' then 'DOMAIN' else 'TYPE' end, n.nspname, typname::pg_catalog.text, typowner
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    union all
    select 'FUNCTION', n.nspname, proname || '(' || pg_catalog.oidvectortypes(proargtypes) || ')', proowner
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    union all
    -- As grants name them.
    select 'FUNCTION', n.nspname, proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', proowner
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname <> 'pg_catalog'
    union all
    select 'POLICY', nspname, relname || ' ' || polname, owner
    from pg_catalog.pg_policy join relations r on r.oid = polrelid
    union all
    select 'TRIGGER', nspname, relname || ' ' || tgname, owner
    from pg_catalog.pg_trigger join relations r on r.oid = tgrelid
    where not tgisinternal
    union all
    select 'FK CONSTRAINT', nspname, relname || ' ' || conname, owner
    from pg_catalog.pg_constraint join relations r on r.oid = conrelid
    where contype = 'f'
    union all
    select 'PUBLICATION', null, pubname::pg_catalog.text, pubowner from pg_catalog.pg_publication
    union all
    select 'PUBLICATION TABLE', nspname, pubname || ' ' || relname, pubowner
    from pg_catalog.pg_publication_rel join pg_catalog.pg_publication p on p.oid = prpubid
    join relations r on r.oid = prrelid
  )
  select kind, schema, tag from found
  where owner is distinct from (select oid from pg_catalog.pg_roles where rolname = $1)`;

const SAME_KIND: Record<string, string> = {
  VIEW: "TABLE",
  "MATERIALIZED VIEW": "TABLE",
  "FOREIGN TABLE": "TABLE",
  PROCEDURE: "FUNCTION",
  "SHELL TYPE": "TYPE",
};

/** Reads what is there; `butOf` is a role whose objects are left out. */
export async function existingObjects(
  { session: { sql }, schemas, extensions }:
    & { session: Pick<Session, "sql"> }
    & Pick<TargetFacts, "schemas" | "extensions">,
  butOf: string | null = null,
): Promise<ExistingObjects> {
  const rows = await sql.unsafe<{ kind: string; schema: string | null; tag: string }[]>(QUERY, [
    butOf as never,
  ]);
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
