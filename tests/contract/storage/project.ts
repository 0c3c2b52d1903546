/**
 * The project that the contract suite talks to: the stand-in, or any other by the environment.
 *
 *     CONTRACT_STORAGE_URL          base of the Storage API, `https://….supabase.co/storage/v1` on the platform
 *     CONTRACT_JWT_SECRET           signs the keys and the tokens that some facts need
 *     CONTRACT_SERVICE_KEY, CONTRACT_ANON_KEY, CONTRACT_AUTHENTICATED_KEY   instead, where the secret is not known
 *     CONTRACT_DATABASE_URL         role that may make policies on storage.objects; without it facts that need one are
 *                                   ignored
 *     CONTRACT_FILE_SIZE_LIMIT      the project's limit for one file; 52428800 without it
 */
import { createClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import postgres from "postgres";
import { projectKeys } from "../../../stack/keys.ts";
import { startProjectDatabase } from "../../../stack/postgres/project.ts";
import { startStorage } from "../../../stack/storage/storage.ts";

export type Role = "service_role" | "anon" | "authenticated";

/** What a request got: `body` is JSON where it can be read as such, text otherwise. */
export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any -- bodies are looked into, not worked with.
  body: any;
}

/** A sentence that holds, as a function that throws when it does not. */
export type Fact = ((project: StorageProject) => Promise<void>) & { needs?: Need[] };
/** The JWT secret, or the database. */
type Need = "secret" | "sql";
export type Facts = Record<string, Fact>;

/** Marks a fact that can only be tried where these are at hand. */
export function needing(needs: Need | Need[], fact: Fact): Fact {
  return Object.assign(fact, { needs: [needs].flat() });
}

interface Access {
  url: string;
  jwtSecret: string | undefined;
  databaseUrl: string | undefined;
  keys: Record<Role, string> | undefined;
  stop: () => Promise<void>;
}

export class StorageProject {
  readonly fileSizeLimit = Number(Deno.env.get("CONTRACT_FILE_SIZE_LIMIT") ?? 50 * 1024 * 1024);
  readonly #access: Access;
  readonly #keys: Record<Role, string>;
  readonly #buckets: string[] = [];
  /**
   * A connection for each request. What a server does with a connection whose request it refused unread is not part
   * of the contract, and the next request on it would find out.
   */
  readonly #http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  readonly #sql: postgres.Sql | undefined;

  private constructor(access: Access, keys: Record<Role, string>) {
    this.#access = access;
    this.#keys = keys;
    if (access.databaseUrl) this.#sql = postgres(access.databaseUrl, { max: 2, onnotice: () => {} });
  }

  /** Takes the project of the environment, or boots the stand-in. */
  static async open(): Promise<StorageProject> {
    const access = fromEnvironment() ?? await bootStandIn();
    const { jwtSecret, keys } = access;
    if (keys === undefined && jwtSecret === undefined) {
      throw new Error(
        "the project's keys are not known: set CONTRACT_JWT_SECRET or the three CONTRACT_…_KEY",
      );
    }
    const roles: Role[] = ["service_role", "anon", "authenticated"];
    const signed = async (role: Role) => [role, await signToken(jwtSecret!, { role })] as const;
    return new StorageProject(
      access,
      keys ?? Object.fromEntries(await Promise.all(roles.map(signed))) as Record<Role, string>,
    );
  }

  /** Can the fact be tried here? */
  has({ needs = [] }: Fact): boolean {
    const { jwtSecret, databaseUrl } = this.#access;
    return needs.every((need) => (need === "sql" ? databaseUrl : jwtSecret) !== undefined);
  }

  get url(): string {
    return this.#access.url;
  }

  /** Where it is known: see has(). */
  get jwtSecret(): string {
    return this.#access.jwtSecret!;
  }

  get sql(): postgres.Sql {
    return this.#sql!;
  }

  key(role: Role): string {
    return this.#keys[role];
  }

  /** A token of the project with claims of one's own. */
  async token(claims: Record<string, unknown>, secondsFromNow = 3600): Promise<string> {
    return await signToken(this.jwtSecret, claims, secondsFromNow);
  }

  /** supabase-js's storage client, acting as `role` or with another token, on this server or on another one. */
  client(role: Role | { token: string } = "service_role", url = this.url) {
    const key = typeof role === "string" ? this.key(role) : role.token;
    // supabase-js knows the gateway's path only; the server behind it has none.
    const origin = "http://project.invalid";
    const send: typeof fetch = (input, init) =>
      fetch(String(input).replace(`${origin}/storage/v1`, url), { ...init, client: this.#http });
    return createClient(origin, key, {
      global: { fetch: send },
      auth: { persistSession: false, autoRefreshToken: false },
    }).storage;
  }

  /** A request as it is, for what supabase-js hides. `as` null sends no key. */
  async send(
    method: string,
    path: string,
    options: { as?: Role | { token: string } | null; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { as = "service_role", body } = options;
    const headers = new Headers(options.headers);
    if (as !== null) {
      headers.set("authorization", `Bearer ${typeof as === "string" ? this.key(as) : as.token}`);
    }
    const isJson = body !== undefined && !(body instanceof Uint8Array);
    if (isJson) headers.set("content-type", "application/json");
    const response = await fetch(this.url + path, {
      method,
      headers,
      client: this.#http,
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : body as Uint8Array }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  /** A new private bucket of a fact's own; close() removes it. */
  async bucket(settings: Record<string, unknown> = {}): Promise<string> {
    const name = this.bucketName();
    const { status, body } = await this.send("POST", "/bucket", { body: { name, ...settings } });
    if (status !== 200) throw new Error(`bucket "${name}" was not made: ${JSON.stringify(body)}`);
    return name;
  }

  /** A name that nobody has, for a bucket that the fact makes itself; close() removes it. */
  bucketName(): string {
    const name = `contract-${crypto.randomUUID()}`;
    this.#buckets.push(name);
    return name;
  }

  async close(): Promise<void> {
    for (const bucket of this.#buckets) {
      await this.send("POST", `/bucket/${bucket}/empty`);
      await this.send("DELETE", `/bucket/${bucket}`);
    }
    this.#http.close();
    await this.#sql?.end();
    await this.#access.stop();
  }
}

function fromEnvironment(): Access | null {
  const url = Deno.env.get("CONTRACT_STORAGE_URL");
  if (url === undefined) return null;
  const service_role = Deno.env.get("CONTRACT_SERVICE_KEY");
  const anon = Deno.env.get("CONTRACT_ANON_KEY");
  const authenticated = Deno.env.get("CONTRACT_AUTHENTICATED_KEY");
  return {
    url: url.replace(/\/$/, ""),
    jwtSecret: Deno.env.get("CONTRACT_JWT_SECRET"),
    databaseUrl: Deno.env.get("CONTRACT_DATABASE_URL"),
    keys: service_role && anon && authenticated ? { service_role, anon, authenticated } : undefined,
    stop: () => Promise.resolve(),
  };
}

async function bootStandIn(): Promise<Access> {
  const { jwtSecret } = await projectKeys();
  const database = await startProjectDatabase();
  const dir = await Deno.makeTempDir({ prefix: "storage-" });
  const storage = await startStorage({
    databaseUrl: database.urlOf("supabase_storage_admin"),
    dir,
    jwtSecret,
  });
  return {
    url: storage.url,
    jwtSecret,
    databaseUrl: database.superuserUrl,
    keys: undefined,
    stop: async () => {
      await storage.stop();
      await database.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function signToken(secret: string, claims: Record<string, unknown>, seconds = 3600): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(Math.min(now, now + seconds)).setExpirationTime(now + seconds)
    .sign(new TextEncoder().encode(secret));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
