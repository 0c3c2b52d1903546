/** Identifies the caller: the database with a one-time token, or a holder of the project's secret key. */
import { createHash, timingSafeEqual } from "node:crypto";
import { TOKEN_HEADER } from "./run/run_client.ts";

export type Caller =
  /** Has what may be a token; only the database knows whether it is valid. */
  | { kind: "token"; token: string }
  /** Has the project's secret key or the legacy service_role key. */
  | { kind: "key" };

/** Two UUIDs; before them a word for the purpose of the call: `copy-…`. */
const TOKEN = /^(?:[a-z]{1,20}-)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}){2}$/;

/** Returns null for a caller with neither. `environment` returns the function's secrets by name. */
export function identifyCaller(
  request: Request,
  environment: (name: string) => string | undefined,
): Caller | null {
  const token = request.headers.get(TOKEN_HEADER);
  if (token !== null) return TOKEN.test(token) ? { kind: "token", token } : null;
  const shown = [
    request.headers.get("authorization")?.match(/^Bearer +(.+)$/i)?.[1],
    request.headers.get("apikey"),
  ].filter((key) => key != null);
  const known = secretKeys(environment);
  // No shortcut: the time that it takes must not show which key was nearly right.
  const equal = shown.flatMap((key) => known.map((good) => sameKey(key, good)));
  return equal.some(Boolean) ? { kind: "key" } : null;
}

/** The keys that stand for the role service_role: SUPABASE_SECRET_KEYS is a dictionary of them, as JSON. */
export function secretKeys(environment: (name: string) => string | undefined): string[] {
  const keys: unknown[] = [environment("SUPABASE_SERVICE_ROLE_KEY")];
  try {
    keys.unshift(...Object.values(JSON.parse(environment("SUPABASE_SECRET_KEYS") ?? "{}")));
  } catch { /* a dictionary that cannot be read holds no key */ }
  return keys.filter((key): key is string => typeof key === "string" && key !== "");
}

function sameKey(shown: string, good: string): boolean {
  const digest = (key: string) => createHash("sha256").update(key).digest();
  return timingSafeEqual(digest(shown), digest(good));
}
