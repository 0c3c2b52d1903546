/** Schemas that belong to the platform: what the dumping role may not read in them is left out with a warning. */
const MANAGED = new Set([
  "_analytics",
  "_realtime",
  "_supavisor",
  "auth",
  "cron",
  "extensions",
  "graphql",
  "graphql_public",
  "net",
  "pgbouncer",
  "pgmq",
  "pgsodium",
  "pgsodium_masks",
  "realtime",
  "storage",
  "supabase_functions",
  "supabase_migrations",
  "vault",
]);

export function isManaged(schema: string): boolean {
  return MANAGED.has(schema);
}
