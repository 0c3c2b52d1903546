/** Publishable and secret keys: the gateway knows them, Storage knows only JWTs. */
import type { ProjectKeys } from "../keys.ts";

/**
 * The headers for Storage. A JWT in Authorization stays as it is; otherwise the key in `apikey` or Authorization
 * becomes the JWT of its role. Null when a key is not one of the project's. Without any key the headers stay as they
 * are: public objects and signed URLs need none, and Storage refuses the rest itself.
 */
export function authorizationFor(given: Headers, keys: ProjectKeys): Headers | null {
  const bearer = given.get("authorization")?.match(/^Bearer (.*)$/i)?.[1];
  const key = bearer !== undefined && isKey(bearer) ? bearer : given.get("apikey");
  if (bearer !== undefined && !isKey(bearer) || key === null) return given;
  const token = isKey(key) ? jwtOf(key, keys) : key;
  if (token === null) return null;
  const headers = new Headers(given);
  headers.set("authorization", `Bearer ${token}`);
  return headers;
}

function isKey(text: string): boolean {
  return text.startsWith("sb_");
}

function jwtOf(key: string, keys: ProjectKeys): string | null {
  if (key === keys.secretKey) return keys.serviceRoleKey;
  if (key === keys.publishableKey) return keys.anonKey;
  return null;
}
