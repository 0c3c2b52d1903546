/** What is in a database already, that a restore would meet. */
import { isManaged } from "../../supabase/functions/backup/catalog/managed.ts";
import type { Target } from "./target.ts";

export interface Contents {
  /** Tables first, then sequences, functions and types that somebody made. */
  objects: { schema: string; name: string }[];
  /** Of auth.users, where there are any. */
  users: number;
}

/** Extensions' members, and in a Supabase project the platform's schemas, are no contents. */
const OBJECTS = `
  with object (class, id, schema, name, kind) as (
    select 'pg_class'::pg_catalog.regclass, oid, relnamespace, relname, case relkind when 'S' then 2 else 1 end
    from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select 'pg_proc'::pg_catalog.regclass, oid, pronamespace, proname || '()', 3 from pg_catalog.pg_proc
    -- The platform makes it in a project with automatic RLS.
    where not (proname = 'rls_auto_enable' and prorettype = 'pg_catalog.event_trigger'::pg_catalog.regtype)
    union all
    select 'pg_type'::pg_catalog.regclass, oid, typnamespace, typname, 4
    from pg_catalog.pg_type where typtype in ('d', 'e', 'r')
  )
  select n.nspname as schema, o.name
  from object o join pg_catalog.pg_namespace n on n.oid = o.schema
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (
      select from pg_catalog.pg_depend d where d.classid = o.class and d.objid = o.id and d.deptype = 'e'
    )
  order by o.kind, n.nspname, o.name`;

export async function contentsOf({ session: { sql }, kind }: Target): Promise<Contents> {
  const found = await sql.unsafe<{ schema: string; name: string }[]>(OBJECTS);
  const objects = found.filter(({ schema }) => kind === "plain" || !isManaged(schema))
    .map(({ schema, name }) => ({ schema, name }));
  if (kind === "plain") return { objects, users: 0 };
  const [row] = await sql.unsafe<{ users: string }[]>("select count(*) as users from auth.users");
  return { objects, users: Number(row!.users) };
}
