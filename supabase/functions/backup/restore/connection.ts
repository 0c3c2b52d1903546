/** A session that restores: with the settings of pg_restore, in one transaction or in one a statement. */
import type { Session } from "../postgres/session.ts";
import { isOutOfLocks, isServerError, type ServerError } from "./server_error.ts";

/**
 * What a definition may rely on. The empty path of archives lets pg_temp in first: here it comes last, and nothing else
 * is found.
 */
export const SEARCH_PATH = "pg_catalog, pg_temp";

const SETTINGS: Record<string, string> = {
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  standard_conforming_strings: "on",
  client_encoding: "UTF8",
  search_path: SEARCH_PATH,
  // Bodies may name what comes later.
  check_function_bodies: "off",
  xmloption: "content",
  client_min_messages: "warning",
  row_security: "off",
  datestyle: "ISO",
  intervalstyle: "POSTGRES",
  extra_float_digits: "3",
};

const SETTINGS_SQL = `select ${
  Object.entries(SETTINGS).map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`).join(
    ", ",
  )
}; select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings where name = 'transaction_timeout';
  select pg_catalog.set_config('lc_messages', 'C', false) from pg_catalog.pg_roles where rolname = current_user and rolsuper`;

export type Attempt<Result> = { result: Result } | { error: ServerError };

export class Connection {
  readonly #session: Session;
  /** Of savepoints: nothing in an archive can know it beforehand. */
  readonly #savepoint = `restore_${crypto.randomUUID().replaceAll("-", "")}`;
  #transaction: string | null = null;
  readonly #onEarlyCommit: (() => void) | null;

  /** With `onEarlyCommit` a transaction that can lock no more is committed, and another one begun. */
  constructor(session: Session, onEarlyCommit: (() => void) | null = null) {
    this.#session = session;
    this.#onEarlyCommit = onEarlyCommit;
  }

  get sql(): Session["sql"] {
    return this.#session.sql;
  }

  get inTransaction(): boolean {
    return this.#transaction !== null;
  }

  /** Sets the session up. A statement may take `timeoutMs`, where it is given. */
  async prepare(timeoutMs = 0): Promise<void> {
    await this.sql.unsafe(SETTINGS_SQL);
    if (timeoutMs > 0) await this.sql.unsafe(`set statement_timeout = ${Math.trunc(timeoutMs)}`);
  }

  async begin(): Promise<void> {
    await this.sql.unsafe("begin isolation level read committed");
    this.#transaction = await this.#transactionId();
  }

  /** Commits. Throws where an entry has ended the transaction, and begun another. */
  async commit(): Promise<void> {
    if (await this.#transactionId() !== this.#transaction) {
      throw new Error("An entry of the archive ended the transaction of the restore");
    }
    await this.sql.unsafe("commit");
    this.#transaction = null;
  }

  async rollback(): Promise<void> {
    this.#transaction = null;
    await this.sql.unsafe("rollback");
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** Runs statements, all of them or none. Returns the server's error; throws any other. */
  async attempt(sql: string): Promise<Attempt<null>> {
    const run = async (guarded: string) => {
      await this.sql.unsafe(guarded);
      return null;
    };
    const first = await this.#guarded(sql, run);
    const full = "error" in first && isOutOfLocks(first.error) && this.inTransaction;
    if (!full || this.#onEarlyCommit === null) return first;
    await this.commit();
    this.#onEarlyCommit();
    await this.begin();
    return await this.#guarded(sql, run);
  }

  /** Runs one query. Returns its rows. */
  async attemptQuery<Row>(sql: string): Promise<Attempt<Row[]>> {
    return await this.#guarded(sql, async (guarded) => {
      const results: unknown = await this.sql.unsafe(guarded);
      return (this.inTransaction ? (results as Row[][])[1]! : results) as Row[];
    });
  }

  /** Runs `COPY … FROM stdin`, with statements before and after it. Returns the number of rows. */
  async attemptCopy(
    statement: string,
    text: AsyncIterable<Uint8Array>,
  ): Promise<Attempt<number>> {
    return await this.#guarded(statement, (guarded) => this.#session.copyIn(guarded, text));
  }

  /**
   * Runs it inside a savepoint, where there is a transaction: a query of several statements is one transaction without.
   */
  async #guarded<Result>(sql: string, run: (sql: string) => Promise<Result>): Promise<Attempt<Result>> {
    const name = this.#savepoint;
    try {
      const guarded = this.inTransaction ? `savepoint ${name};\n${sql}\n;release savepoint ${name}` : sql;
      return { result: await run(guarded) };
    } catch (error) {
      if (this.inTransaction) await this.#rollbackTo(error);
      if (!isServerError(error)) throw error;
      return { error };
    }
  }

  async #rollbackTo(cause: unknown): Promise<void> {
    const name = this.#savepoint;
    try {
      await this.sql.unsafe(`rollback to savepoint ${name}; release savepoint ${name}`);
    } catch {
      // The connection is gone, or the savepoint: the first error says why.
      throw cause;
    }
  }

  async #transactionId(): Promise<string> {
    const [row] = await this.sql.unsafe<{ id: string }[]>(
      "select pg_catalog.txid_current()::pg_catalog.text as id",
    );
    return row!.id;
  }
}
