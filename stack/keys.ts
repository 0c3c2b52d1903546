/** A project's keys: what the dashboard shows under "API keys" and "JWT keys", made here instead. */
import { createHash, randomBytes } from "node:crypto";
import { SignJWT } from "jose";

export interface ProjectKeys {
  /** HS256 secret of all JWTs. */
  jwtSecret: string;
  /** Legacy key: a JWT of the role `anon`. */
  anonKey: string;
  /** Legacy key: a JWT of the role `service_role`. */
  serviceRoleKey: string;
  /** `sb_publishable_…`: stands for `anon`; no JWT. */
  publishableKey: string;
  /** `sb_secret_…`: stands for `service_role`; no JWT. */
  secretKey: string;
}

/** Part of the legacy JWTs and of the checksum in the other keys; a hosted project has its own 20 letters. */
const PROJECT_REF = "local";
const TEN_YEARS_S = 10 * 365 * 24 * 3600;

/**
 * The keys of a project. With `dir` they are read from `keys.json` there, or written to it (mode 0600), so that a
 * stack that keeps its data keeps its keys; `given` sets single ones (a JWT secret signs the legacy keys). Throws when
 * the file is there and is not a set of keys: keys that change silently look like a broken project.
 */
export async function projectKeys(
  options: { dir?: string; given?: Partial<ProjectKeys> } = {},
): Promise<ProjectKeys> {
  const { dir, given } = options;
  if (dir === undefined) return await makeKeys(given);
  const path = `${dir}/keys.json`;
  const kept = await readKeys(path);
  if (kept !== null) return { ...kept, ...given };
  const keys = await makeKeys(given);
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(keys, null, 2) + "\n", { mode: 0o600 });
  return keys;
}

async function makeKeys(given: Partial<ProjectKeys> = {}): Promise<ProjectKeys> {
  const jwtSecret = given.jwtSecret ?? randomBytes(40).toString("base64url");
  return {
    anonKey: await signRole(jwtSecret, "anon"),
    serviceRoleKey: await signRole(jwtSecret, "service_role"),
    publishableKey: opaqueKey("sb_publishable_"),
    secretKey: opaqueKey("sb_secret_"),
    ...given,
    jwtSecret,
  };
}

/** A legacy key: the role's JWT, valid for ten years as the dashboard's. */
function signRole(jwtSecret: string, role: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: "supabase", ref: PROJECT_REF, role })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(now)
    .setExpirationTime(now + TEN_YEARS_S)
    .sign(new TextEncoder().encode(jwtSecret));
}

/** Prefix, 22 random characters, `_`, 8 characters of checksum: the form of the keys that are no JWTs. */
function opaqueKey(prefix: string): string {
  const random = prefix + randomBytes(16).toString("base64url");
  const checksum = createHash("sha256").update(`${PROJECT_REF}|${random}`).digest("base64url").slice(0, 8);
  return `${random}_${checksum}`;
}

async function readKeys(path: string): Promise<ProjectKeys | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const found = JSON.parse(text) as Partial<ProjectKeys>;
  const { jwtSecret, anonKey, serviceRoleKey, publishableKey, secretKey } = found;
  if (!jwtSecret || !anonKey || !serviceRoleKey || !publishableKey || !secretKey) {
    throw new Error(`"${path}" does not hold a project's five keys: remove it to have new ones made`);
  }
  return { jwtSecret, anonKey, serviceRoleKey, publishableKey, secretKey };
}
