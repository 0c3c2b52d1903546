/** The default secrets of a function. */
import type { ProjectKeys } from "../keys.ts";

export interface FunctionEnvOptions {
  /** URL of the API gateway. */
  url: string;
  /** Connection string of the database for `postgres`. */
  databaseUrl: string;
  keys: ProjectKeys;
}

/** The environment that the platform gives every function, by its names. */
export function functionEnv({ url, databaseUrl, keys }: FunctionEnvOptions): Record<string, string> {
  return {
    SUPABASE_URL: url,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    // HS256 only: a shared secret is in no public key set.
    SUPABASE_JWKS: JSON.stringify({ keys: [] }),
    SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
    SUPABASE_ANON_KEY: keys.anonKey,
  };
}
