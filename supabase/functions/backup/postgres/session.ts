/** One session of the database: SQL through postgres.js, COPY through the same connection. */
import postgres, { type Sql } from "postgres";
import { BackupError } from "../errors.ts";
import { connect } from "./connect.ts";
import { type CopyConsumer, PulledSocket } from "./pulled_socket.ts";
import { parseTarget, type Target } from "./target.ts";

export type { CopyConsumer } from "./pulled_socket.ts";

export interface Session {
  /** One connection: `begin` and `commit` may be sent as statements. Arrays arrive as text, bigint as string. */
  readonly sql: Sql;
  /** Process id of the backend. */
  readonly pid: number;
  /**
   * Runs `COPY … TO STDOUT` and feeds its text to `consume` in blocks that need not end with a row. Answers the number of
   * rows. When `consume` throws, the statement is cancelled, the session stays usable and the error is thrown on.
   */
  copy(statement: string, consume: CopyConsumer): Promise<number>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Shown in pg_stat_activity. */
  applicationName?: string;
}

/** Seconds until a server that does not answer is given up. */
const CONNECT_TIMEOUT = 15;

/**
 * Opens a session. It never reconnects: its snapshot and locks would be gone and nobody would notice.
 * Throws BackupError `database_unreachable` or `bad_request`; neither holds the URL.
 */
export async function openSession(url: string, options: SessionOptions = {}): Promise<Session> {
  const target = parseTarget(url);
  let socket: PulledSocket | null = null;
  let cancelling = false;
  const open = async () => {
    if (socket !== null && !cancelling) throw lost();
    const opened = new PulledSocket(await connect(target));
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
    ...({ socket: open, max_lifetime: null } as object),
    ssl: false,
    max: 1,
    prepare: false,
    fetch_types: false,
    idle_timeout: 0,
    connect_timeout: CONNECT_TIMEOUT,
    connection: { application_name: options.applicationName ?? "supabase-backup" },
    onnotice: () => {},
  });

  const copy = async (statement: string, consume: CopyConsumer): Promise<number> => {
    let failure: { error: unknown } | null = null;
    const query = sql.unsafe(statement).simple();
    socket!.consumer = async (block) => {
      if (failure !== null) return;
      try {
        await consume(block);
      } catch (error) {
        failure = { error };
        cancelling = true;
        query.cancel();
      }
    };
    try {
      const { count } = await query;
      if (failure === null) return count;
    } catch (error) {
      if (failure === null) throw error;
    } finally {
      if (socket) socket.consumer = null;
      cancelling = false;
    }
    throw (failure as { error: unknown }).error;
  };

  try {
    const [row] = await sql.unsafe<{ pid: number }[]>("select pg_catalog.pg_backend_pid() as pid");
    return { sql, pid: row!.pid, copy, close: () => sql.end({ timeout: 5 }) };
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw unreachable(target, error);
  }
}

function lost(): BackupError {
  return new BackupError(
    "snapshot_lost",
    "The connection to the database was lost",
    "The run starts over by itself; see whether the database restarted.",
  );
}

function unreachable({ host, port, user, database }: Target, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const where = `${host}:${port}`;
  const code = (error as { code?: string }).code ?? "";
  if (code === "28P01" || code === "28000") {
    return new BackupError(
      "database_unreachable",
      `The database at ${where} refused the login of role "${user}"`,
      "Check the password in the connection string (SUPABASE_DB_URL of the function); reset it in the dashboard if need be.",
      error,
    );
  }
  if (code === "3D000") {
    return new BackupError(
      "database_unreachable",
      `There is no database "${database}" at ${where}`,
      "Check its name.",
    );
  }
  return new BackupError(
    "database_unreachable",
    `The database at ${where} could not be reached: ${error instanceof Error ? error.message : error}`,
    "Check host, port and network; a paused project must be resumed first.",
    error,
  );
}
