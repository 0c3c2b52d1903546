/** JWTs: who calls, and what a signed URL allows. All are HS256 with the project's secret. */
import { jwtVerify, SignJWT } from "jose";
import { errors } from "./errors.ts";

/** The caller of a request. */
export interface Caller {
  /** The database role to act as; `anon` when the token names none. */
  role: string;
  /** The token's `sub`, which becomes the owner of what the caller makes. */
  owner: string | undefined;
  claims: Record<string, unknown>;
  /** The token itself. */
  jwt: string;
}

/** What a signed URL's token says. */
export interface Grant {
  scope: "download" | "upload";
  /** `<bucket>/<name>` of the object. */
  url: string;
  /** Uploads: may an existing object be overwritten, and who will own it. */
  upsert?: boolean;
  owner?: string;
  /** Seconds since 1970. */
  exp: number;
}

export class Tokens {
  readonly #secret: Uint8Array;

  constructor(jwtSecret: string) {
    this.#secret = new TextEncoder().encode(jwtSecret);
  }

  /**
   * The caller of an `Authorization` header. Throws InvalidRequest without one, AccessDenied when its token is not
   * valid.
   */
  async caller(authorization: string | undefined): Promise<Caller> {
    if (authorization === undefined) {
      throw errors.invalidRequest("headers must have required property 'authorization'");
    }
    const jwt = authorization.replace(/^Bearer\s+/i, "");
    try {
      const claims = await this.#verify(jwt);
      const role = typeof claims.role === "string" ? claims.role : "anon";
      return { role, owner: typeof claims.sub === "string" ? claims.sub : undefined, claims, jwt };
    } catch (error) {
      throw errors.accessDenied((error as Error).message);
    }
  }

  /** As caller(), for routes that also serve strangers: null when the header is missing or its token no good. */
  async callerOrStranger(authorization: string | undefined): Promise<Caller | null> {
    return await this.caller(authorization).catch(() => null);
  }

  /** A token for one object, good for `seconds`. */
  async grant(grant: Omit<Grant, "exp">, seconds: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return await new SignJWT({ ...grant }).setProtectedHeader({ alg: "HS256" })
      .setIssuedAt(now).setExpirationTime(now + seconds).sign(this.#secret);
  }

  /**
   * Returns what `token` grants. Throws InvalidJWT when it is not valid, InvalidSignature when it is for another
   * object.
   */
  async granted(token: string, scope: Grant["scope"], url: string): Promise<Grant> {
    const claims = await this.#verify(token).catch((error) => {
      throw errors.invalidJwt(error.message);
    }) as unknown as Grant;
    if (claims.scope !== scope) throw errors.invalidSignature(`Token is not scoped for ${scope}`);
    if (claims.url !== url) throw errors.invalidSignature();
    return claims;
  }

  async #verify(jwt: string): Promise<Record<string, unknown>> {
    return (await jwtVerify(jwt, this.#secret, { algorithms: ["HS256"] })).payload;
  }
}
