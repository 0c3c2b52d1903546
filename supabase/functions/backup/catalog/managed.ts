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
  "supabase_subscription_mgmt",
  "vault",
]);

/** Further schemas that the platform or its extensions make, by names that a user may have given to something else. */
const OFTEN_MANAGED = new Set([
  "dbdev",
  "etl",
  "pgroonga",
  "pgtle",
  "repack",
  "tiger",
  "tiger_data",
  "topology",
]);
const TIMESCALE = /^_?timescaledb_/;

/** Roles that the platform keeps for itself: no user can act as them. */
const RESERVED_ROLE = /^(supabase_.+|pgsodium_.+|pgbouncer|authenticator|dashboard_user|pgtle_admin)$/;

/**
 * Whether nobody but the platform can make this relation readable: it is left out with a warning then, while a user's
 * must be read.
 */
export function isPlatforms({ schema, owner }: { schema: string; owner: string }): boolean {
  return isManaged(schema) || OFTEN_MANAGED.has(schema) || TIMESCALE.test(schema) ||
    RESERVED_ROLE.test(owner);
}

export function isManaged(schema: string): boolean {
  return MANAGED.has(schema);
}
