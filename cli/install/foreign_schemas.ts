/** Are the names of our schemas taken by something else? */
import type { Sql } from "postgres";
import { CommandError } from "../terminal/errors.ts";

/** A table that says whose the schema is. */
const OURS = {
  backup: "backup.settings",
  versioning: "versioning.records",
  versioning_private: "versioning.records",
};

/**
 * Returns a sentence for each of these schemas that is there and not ours: it belongs to another role, or has objects
 * in it. The migrations refuse only other tables, and `uninstall` would drop what they let pass.
 */
export async function foreignSchemas(sql: Sql, versioning: boolean): Promise<string[]> {
  const rows = await sql<{ name: keyof typeof OURS; owner: string; own: boolean; object: string | null }[]>`
    select n.nspname as name, r.rolname as owner, r.rolname = current_user as own, (
      select coalesce(min(c.relname), min(p.proname), min(t.typname))::text
      from pg_catalog.pg_namespace s
      left join pg_catalog.pg_class c on c.relnamespace = s.oid
      left join pg_catalog.pg_proc p on p.pronamespace = s.oid
      left join pg_catalog.pg_type t on t.typnamespace = s.oid
      where s.oid = n.oid
    ) as object
    from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner
    where n.nspname in ('backup', 'versioning', 'versioning_private')`;
  const [found] = await sql<{ [table: string]: boolean }[]>`
    select to_regclass('backup.settings') is not null as "backup.settings",
      to_regclass('versioning.records') is not null as "versioning.records"`;
  return rows.filter(({ name, own, object }) =>
    (versioning || name === "backup") && (!own || (object !== null && !found![OURS[name]]))
  ).map(({ name, owner, own, object }) =>
    own ? `Schema "${name}" is not ours: it holds "${object}"` : `Schema "${name}" belongs to role "${owner}"`
  );
}

/** Throws CommandError where a schema of that name is not ours. */
export async function refuseForeignSchemas(sql: Sql, versioning: boolean): Promise<void> {
  const [foreign] = await foreignSchemas(sql, versioning);
  if (foreign !== undefined) throw new CommandError(foreign, RENAME);
}

/** What a person can do about it. */
export const RENAME =
  "Rename it, as its owner: `alter schema NAME rename to another_name`. Or leave versioning out: --no-versioning.";
