/** One session of the database: SQL through postgres.js, COPY through the same connection. */
import postgres, { type Sql } from "postgres";
import type { Warning } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { connect } from "./connect.ts";
import { sendRows } from "./copy_in.ts";
import { type CopyConsumer, PulledSocket } from "./pulled_socket.ts";
import { isLocal, parseTarget, type SslMode, type Target } from "./target.ts";
import { silentError, unreachableError } from "./unreachable.ts";

export type { CopyConsumer } from "./pulled_socket.ts";

export interface Session {
  /** One connection: `begin` and `commit` may be sent as statements. Arrays arrive as text, bigint as string. */
  readonly sql: Sql;
  /** Process id of the backend. */
  readonly pid: number;
  readonly encrypted: boolean;
  /** Why others may read what is sent and received; null where it is encrypted or stays on this machine. */
  readonly exposed: string | null;
  /**
   * Runs `COPY … TO STDOUT` and feeds its text to `consume` in blocks that need not end with a row. Returns the number
   * of rows. When `consume` throws, or `signal` is aborted, the statement is cancelled, the session stays usable and
   * the error (the signal's reason) is thrown on.
   */
  copy(statement: string, consume: CopyConsumer, signal?: AbortSignal): Promise<number>;
  /**
   * Runs `COPY … FROM STDIN`, alone or among statements that affect no rows, with the pieces of `text`, which need not
   * end with a row. Returns the number of rows. When reading them throws, the statement fails, the session stays usable
   * and the error is thrown on.
   */
  copyIn(statement: string, text: AsyncIterable<Uint8Array>): Promise<number>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Shown in pg_stat_activity. */
  applicationName?: string;
  /** Variable that the URL comes from, for hints. */
  variable?: string;
  /** Of hosts that are not this machine, where the URL has none; `prefer` without it. */
  sslMode?: SslMode;
  /** PEM of an authority that is trusted beside the system's. */
  rootCertificate?: string | undefined;
  /** Seconds after which a server that has not taken the login counts as unreachable, from the first packet on. */
  connectSeconds?: number;
}

const CONNECT_SECONDS = 15;

/**
 * Sent when a session begins, so that they win over the settings of the role and of the database from the first
 * statement on. The role that connects may do everything: a name that is not qualified must never mean an object that a
 * user has made.
 */
const STARTUP_SETTINGS = {
  search_path: "pg_catalog, pg_temp",
  // Fails where a policy would run.
  row_security: "off",
  default_transaction_isolation: "read committed",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
};

/** For the connection that cancels a statement. */
const NEVER = new AbortController().signal;

/** How a pooler refuses settings that it does not track (protocol violation). */
const STARTUP_REFUSED = "08P01";

/**
 * Opens a session. It never reconnects: its snapshot and locks would be lost unnoticed.
 * Throws BackupError `database_unreachable` or `bad_request`; neither holds the URL.
 */
export async function openSession(url: string, options: SessionOptions = {}): Promise<Session> {
  const target = parseTarget(url, options.sslMode);
  const name = { application_name: options.applicationName ?? "supabase-backup" };
  try {
    return await open(target, { ...name, ...STARTUP_SETTINGS }, options);
  } catch (error) {
    // Behind a pooler each snapshot sets its own, and all other statements name what they use.
    if (!(error instanceof Error) || !isRefused(error.cause)) throw error;
    return await open(target, name, options);
  }
}

function isRefused(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return code === STARTUP_REFUSED && /startup parameter/.test(message ?? "");
}

async function open(
  target: Target,
  settings: Record<string, string>,
  { variable, rootCertificate, connectSeconds: seconds = CONNECT_SECONDS }: SessionOptions,
): Promise<Session> {
  let socket: PulledSocket | null = null;
  let cleartext: string | null = null;
  let cancelling = false;
  const deadline = new AbortController();
  const late = setTimeout(() => deadline.abort(silentError(target, seconds, variable)), seconds * 1000);
  const { signal: expired } = deadline;
  expired.addEventListener("abort", () => socket?.destroy(expired.reason));
  const openSocket = async () => {
    if (socket !== null && !cancelling) throw lost();
    const connection = await connect(target, socket === null ? expired : NEVER, rootCertificate);
    const opened = new PulledSocket(connection.stream);
    if (socket === null) ({ cleartext } = connection);
    socket ??= opened;
    return opened;
  };
  const sql = postgres({
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    // The types of postgres.js 3.4.9 know neither `socket` nor a null lifetime.
    ...({ socket: openSocket, max_lifetime: null } as object),
    ssl: false,
    max: 1,
    prepare: false,
    fetch_types: false,
    idle_timeout: 0,
    // The deadline here includes the way to the server.
    connect_timeout: 0,
    connection: settings,
    onnotice: () => {},
  });

  const copy: Session["copy"] = async (statement, consume, signal) => {
    signal?.throwIfAborted();
    let failure: { error: unknown } | null = null;
    const query = sql.unsafe(statement).simple();
    const cancel = (error: unknown) => {
      failure ??= { error };
      cancelling = true;
      query.cancel();
    };
    const abort = () => cancel(signal!.reason);
    signal?.addEventListener("abort", abort);
    socket!.consumer = async (block) => {
      if (failure !== null) return;
      try {
        await consume(block);
      } catch (error) {
        cancel(error);
      }
    };
    try {
      const { count } = await query;
      if (failure === null) return count;
    } catch (error) {
      if (failure === null) throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      if (socket) socket.consumer = null;
      cancelling = false;
    }
    throw (failure as { error: unknown }).error;
  };

  const copyIn = async (statement: string, text: AsyncIterable<Uint8Array>): Promise<number> => {
    const ready = Promise.withResolvers<void>();
    socket!.copyInReady = ready.resolve;
    let over = false;
    const query = sql.unsafe(statement).simple();
    const end = query.then(({ count }) => ({ count }), (error: unknown) => ({ error }))
      .finally(() => over = true);
    let failure: { error: unknown } | null = null;
    try {
      await Promise.race([ready.promise, end]);
      if (!over) failure = await sendRows(socket!, text, () => over);
    } finally {
      socket!.copyInReady = null;
    }
    const result = await end;
    if (failure !== null) throw failure.error;
    if ("error" in result) throw result.error;
    return result.count;
  };

  try {
    const [row] = await sql.unsafe<{ pid: number }[]>("select pg_catalog.pg_backend_pid() as pid");
    const exposed = isLocal(target.host) ? null : cleartext;
    return {
      sql,
      pid: row!.pid,
      encrypted: cleartext === null,
      exposed,
      copy,
      copyIn,
      close: () => sql.end({ timeout: 5 }),
    };
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw unreachableError(target, expired.aborted ? expired.reason : error, cleartext, variable);
  } finally {
    clearTimeout(late);
  }
}

/** Returns the warning of a session that others may read. */
export function exposedWarnings({ exposed }: Session): Warning[] {
  if (exposed === null) return [];
  const message = `The connection to the database is not encrypted: ${exposed}`;
  return [{ code: "not_encrypted", object: "database", message }];
}

/** Returns whether a statement failed: the error has a SQLSTATE. Errors of the connection have none. */
export function isStatementError(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test((error as { code?: string } | null)?.code ?? "");
}

function lost(): BackupError {
  return new BackupError(
    "snapshot_lost",
    "The connection to the database was lost",
    "The run starts over by itself. Check whether the database restarted.",
  );
}
