/**
 * Creates what only a superuser can, before any code of the backup runs: roles, extensions of a known list,
 * their schemas.
 */
import { rolesNamed } from "../../supabase/functions/backup/restore_guide/roles.ts";
import type { Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { HARMLESS_EXTENSIONS } from "../../supabase/functions/backup/restore_plan/harmless_extensions.ts";
import { extensionSchema } from "../../supabase/functions/backup/restore_plan/extensions.ts";
import { createRoles } from "../../supabase/functions/backup/restore_plan/new_roles.ts";
import { quoted } from "../../supabase/functions/backup/restore_plan/sql_text.ts";

/**
 * Returns the statements for `restorer`, which is a superuser while they run. They are made of names only:
 * SQL of an archive never runs with these rights.
 */
export async function prepareScratch(
  { sql }: Session,
  entries: readonly Entry[],
  { database, restorer }: { database: string; restorer: string },
): Promise<string> {
  const names = async (query: string) =>
    new Set((await sql.unsafe<{ name: string }[]>(query)).map(({ name }) => name));
  const available = await names("select name from pg_catalog.pg_available_extensions");
  // A backup that names the scratch server's own roles does not get them.
  const there = await names("select rolname as name from pg_catalog.pg_roles");
  const roles = [...rolesNamed(entries, { owners: true })].filter((role) => !there.has(role)).sort();
  const extensions = entries.filter(({ desc, tag }) =>
    desc === "EXTENSION" && available.has(tag) && HARMLESS_EXTENSIONS.has(tag)
  );
  const schemas = new Set(extensions.map(extensionSchema).filter((schema) => schema && !/^pg_/.test(schema)));
  const to = quoted(restorer);
  return [
    "SET search_path = pg_catalog, pg_temp;\n",
    createRoles(roles, { superuser: true }),
    ...roles.map((role) => `GRANT ${quoted(role)} TO ${to};\n`),
    // A superuser in every project, which needs no grants there.
    ...roles.filter((role) => role === "supabase_admin").map((role) =>
      `GRANT pg_read_all_data TO ${quoted(role)};\n`
    ),
    // The new owner of a schema or publication needs CREATE on the database.
    ...roles.map((role) => `GRANT CREATE ON DATABASE ${quoted(database)} TO ${quoted(role)};\n`),
    ...[...schemas].map((schema) => `CREATE SCHEMA IF NOT EXISTS ${quoted(schema!)};\n`),
    ...extensions.map((entry) => {
      const schema = extensionSchema(entry);
      const place = schema === null ? "" : ` SCHEMA ${quoted(schema)}`;
      return `CREATE EXTENSION IF NOT EXISTS ${quoted(entry.tag)}${place} CASCADE;\n`;
    }),
  ].join("");
}
