/**
 * The server's way into the database: every statement runs in a transaction that has taken on the caller's role and
 * claims, so row level security decides. What the server must do for any caller it does as `service_role`.
 */
import postgres from "postgres";
import { fromDatabase } from "./errors.ts";
import type { Caller } from "./tokens.ts";

export type Sql = postgres.TransactionSql;

/** Facts of the request that policies and triggers can read. */
export interface RequestFacts {
  method: string;
  path: string;
  headers: Record<string, string>;
}

const STATEMENT_TIMEOUT = "30s";
/** The server itself: past row level security. */
export const SERVICE: Caller = {
  role: "service_role",
  owner: undefined,
  claims: { role: "service_role" },
  jwt: "",
};

/** Thrown to leave a trial's transaction without keeping anything. */
class TrialOver extends Error {}

export class Database {
  readonly #sql: postgres.Sql;

  /**
   * `url` connects as a role that may take on anon, authenticated and service_role: `supabase_storage_admin` on a
   * project.
   */
  constructor(url: string) {
    this.#sql = postgres(url, { max: 10, onnotice: () => {}, connection: { application_name: "storage" } });
  }

  /** What the request may do to the database, and as whom. */
  session(facts: RequestFacts): Session {
    return new Session(this.#sql, facts);
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 5 });
  }
}

export class Session {
  readonly #sql: postgres.Sql;
  readonly #facts: RequestFacts;

  constructor(sql: postgres.Sql, facts: RequestFacts) {
    this.#sql = sql;
    this.#facts = facts;
  }

  /** Runs `work` in a transaction as the caller. Throws the refusal that stands for the database's error. */
  async as<T>(caller: Caller, work: (sql: Sql) => Promise<T>): Promise<T> {
    try {
      return await this.#sql.begin(async (sql) => {
        await this.#takeOn(sql, caller);
        return await work(sql);
      }) as T;
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  /** Runs `work` past row level security. */
  async asService<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return await this.as(SERVICE, work);
  }

  /** Runs `work` as the caller and rolls it back: may the caller do it? Throws the refusal when not. */
  async trial(caller: Caller, work: (sql: Sql) => Promise<unknown>): Promise<void> {
    try {
      await this.as(caller, async (sql) => {
        await work(sql);
        throw new TrialOver();
      });
    } catch (error) {
      if (!(error instanceof TrialOver)) throw error;
    }
  }

  async #takeOn(sql: Sql, caller: Caller): Promise<void> {
    const settings = {
      role: caller.role,
      "request.jwt.claim.role": caller.role,
      "request.jwt.claim.sub": caller.owner ?? "",
      "request.jwt": caller.jwt,
      "request.jwt.claims": JSON.stringify(caller.claims),
      "request.headers": JSON.stringify(this.#facts.headers),
      "request.method": this.#facts.method,
      "request.path": this.#facts.path,
      // Lets the statements below past the triggers that keep everybody else from deleting rows and leaving files.
      "storage.allow_delete_query": "true",
      "statement_timeout": STATEMENT_TIMEOUT,
    };
    await sql`
      select set_config(name, value, true)
      from unnest(${Object.keys(settings)}::text[], ${
      Object.values(settings)
    }::text[]) with ordinality as s (name, value, position)
      order by position`;
  }
}
