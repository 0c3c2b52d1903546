/** The check before a function with `verify_jwt`. */
import { errors, jwtVerify } from "jose";
import { unauthorized } from "./answers.ts";

/** Returns null when the request carries a valid JWT of the project, else the platform's 401. */
export async function verifyJwt(request: Request, secret: string): Promise<Response | null> {
  const header = request.headers.get("authorization");
  if (header === null) return unauthorized("NO_AUTH_HEADER", "Missing authorization header");
  const token = /^Bearer (\S+)$/i.exec(header)?.[1];
  if (token === undefined) return unauthorized("INVALID_JWT_FORMAT", "Invalid JWT format");
  try {
    await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: ["HS256"] });
    return null;
  } catch (error) {
    if (error instanceof errors.JWSInvalid) return unauthorized("INVALID_JWT_FORMAT", "Invalid JWT format");
    if (error instanceof errors.JOSEError) return unauthorized("LEGACY_JWT", "Invalid JWT");
    throw error;
  }
}
