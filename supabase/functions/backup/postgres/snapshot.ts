/** Begins a snapshot of the database, imports it into other sessions, and locks its tables. */
import { BackupError } from "../errors.ts";
import type { Session } from "./session.ts";

/**
 * The settings that pg_dump fixes before it reads (pg_dump.c, setup_connection), for the same reasons: text that reads
 * back the same anywhere, no row hidden by a policy, no timeout of the role's in the middle.
 */
const SETTINGS: Record<string, string> = {
  datestyle: "ISO",
  intervalstyle: "POSTGRES",
  extra_float_digits: "3",
  synchronize_seqscans: "off",
  statement_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  // Fails where a policy would hide rows, instead of writing fewer.
  row_security: "off",
  // Compiling the catalogs' queries takes three times as long as running them.
  jit: "off",
  // Planning would compute the checks of tables, which are their owners' functions.
  constraint_exclusion: "off",
};

/** Settings that some servers do not have. */
const NEWER_SETTINGS: Record<string, string> = {
  // Since 17.
  transaction_timeout: "0",
  // Minor releases of 2024: a view or foreign table that took the place of a table or sequence must not run its owner's
  // functions as us.
  restrict_nonsystem_relation_kind: "view, foreign-table",
};

/** For this transaction only: behind a pooler another client gets the server's session afterwards. */
const NEWER_SETTINGS_SQL = `
  select pg_catalog.set_config(name, value, true)
  from (values ${
  Object.entries(NEWER_SETTINGS).map(([name, value]) => `('${name}', '${value}')`).join(", ")
}) as setting (name, value)
  where pg_catalog.current_setting(name, true) is not null`;

/** SQL_ASCII is not an encoding: its bytes cannot be converted, so they are taken as they are. */
const ENCODING_SQL = `pg_catalog.set_config('client_encoding',
  case pg_catalog.current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end, true)`;

const SETTINGS_SQL = [
  ENCODING_SQL,
  ...Object.entries(SETTINGS).map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`),
].join(", ");

/** Finds a named table that is no longer the snapshot's: dropped, or replaced, perhaps by a view. */
const REPLACED = `
  select name
  from pg_catalog.jsonb_array_elements_text($1::pg_catalog.text::pg_catalog.jsonb) name
  left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(name)
  where c.oid is null or c.relkind not in ('r', 'p')
    -- The snapshot still shows a table of which a rule has made a view (before PostgreSQL 16); this function does not.
    or c.relkind = 'r' and pg_catalog.pg_relation_filenode(c.oid) is null
  limit 1`;

/** Locks are taken in statements of this many tables: one for each would be a round trip for each. */
const LOCK_BATCH = 200;

/** Finds those of the named tables on which another session holds, or waits for, an exclusive lock. */
const IN_THE_WAY = `
  select distinct name
  from pg_catalog.jsonb_array_elements_text($1::pg_catalog.text::pg_catalog.jsonb) name
  join pg_catalog.pg_locks l on l.relation = pg_catalog.to_regclass(name)
  where l.mode = 'AccessExclusiveLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  order by name`;

const NAMES_LENGTH = 200;

/** Begins `repeatable read, read only`; returns the id under which other sessions import its snapshot. */
export async function beginSnapshot(session: Session): Promise<string> {
  await begin(session);
  await fixSettings(session);
  return await exportSnapshot(session);
}

/**
 * Begins with the first of `ids` that can still be imported; returns the id of its own export.
 * Throws BackupError `snapshot_lost` when no holder is left.
 */
export async function importSnapshot(session: Session, ids: string[]): Promise<string> {
  for (const id of ids) {
    await begin(session);
    try {
      // Must be the first statement of the transaction and takes no parameter.
      await session.sql.unsafe(
        `set transaction snapshot '${id.replaceAll("'", "''")}'`,
      );
    } catch {
      await session.sql.unsafe("rollback");
      continue;
    }
    await fixSettings(session);
    return await exportSnapshot(session);
  }
  throw new BackupError(
    "snapshot_lost",
    "No worker holds this run's snapshot any longer",
    "The run starts over by itself, with a new snapshot.",
  );
}

/**
 * Takes `access share` on tables (quoted, qualified names), as pg_dump does. Waits `lockTimeoutMs` at most for each:
 * behind a waiting lock every later query of the site would queue up. Throws BackupError `lock_timeout`; the
 * transaction is over then.
 */
export async function lockTables(session: Session, names: string[], lockTimeoutMs: number): Promise<void> {
  await session.sql.unsafe(
    `set local lock_timeout = ${Math.max(1, Math.trunc(lockTimeoutMs))}`,
  );
  for (let first = 0; first < names.length; first += LOCK_BATCH) {
    const batch = names.slice(first, first + LOCK_BATCH);
    try {
      await session.sql.unsafe(
        `lock table ${batch.map((name) => `only ${name}`).join(", ")} in access share mode`,
      );
    } catch (error) {
      throw await locked(session, batch, names.length, error);
    }
  }
  // From now on nothing can take a table's place.
  const [replaced] = await session.sql.unsafe<{ name: string }[]>(REPLACED, [JSON.stringify(names)]);
  if (replaced) throw replacedError(replaced.name);
}

function replacedError(name: string): BackupError {
  return new BackupError(
    "table_not_read",
    `Cannot read table ${name}: it was dropped or replaced while the backup began`,
    "The run starts over by itself, with a new snapshot.",
  );
}

async function locked(session: Session, batch: string[], tables: number, error: unknown): Promise<unknown> {
  const { code } = error as { code?: string };
  if (code === "53200") return await tooManyTables(session, tables, error);
  if (code !== "55P03") return error;
  const found = await inTheWay(session, batch).catch(() => []);
  const which = found.map(({ name }) => name).join(", ") || `one of ${batch.join(", ")}`;
  return new BackupError(
    "lock_timeout",
    `Cannot lock ${which.slice(0, NAMES_LENGTH)} in time: another session holds a lock`,
    "Find the session in pg_locks, often a migration or a long statement, and let it end or cancel it.",
    error,
  );
}

/** The lock table of the server is full: it is sized when the server starts. */
async function tooManyTables(session: Session, tables: number, error: unknown): Promise<BackupError> {
  await session.sql.unsafe("rollback");
  const [row] = await session.sql.unsafe<{ perTransaction: number; transactions: number }[]>(`
    select pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int4 as "perTransaction",
      pg_catalog.current_setting('max_connections')::pg_catalog.int4
        + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int4 as transactions`);
  const { perTransaction, transactions } = row!;
  // Views and indexes are locked as well, and other sessions want some.
  const wanted = Math.max(2 * perTransaction, Math.ceil(2 * tables / transactions / 64) * 64);
  return new BackupError(
    "too_many_tables",
    `Cannot lock ${tables} tables: the server has room for about ${perTransaction * transactions} locks`,
    `Raise max_locks_per_transaction from ${perTransaction} to ${wanted}, which restarts the database: ` +
      `supabase --experimental postgres-config update --config max_locks_per_transaction=${wanted}`,
    error,
  );
}

/** The transaction has failed and takes no more queries; the other session most likely still holds its lock. */
async function inTheWay(session: Session, batch: string[]): Promise<{ name: string }[]> {
  await session.sql.unsafe("rollback");
  await begin(session);
  await fixSettings(session);
  return await session.sql.unsafe<{ name: string }[]>(IN_THE_WAY, [JSON.stringify(batch)]);
}

/**
 * The search path comes before any query, since even an operator could be a user's. Neither statement takes a snapshot
 * yet.
 */
async function begin({ sql }: Session): Promise<void> {
  await sql.unsafe(`
    begin transaction isolation level repeatable read, read only;
    set local search_path = pg_catalog, pg_temp`).simple();
}

/** Runs after the snapshot is imported, which must come before any query. */
async function fixSettings({ sql }: Session): Promise<void> {
  await sql.unsafe(`select ${SETTINGS_SQL}`);
  await sql.unsafe(NEWER_SETTINGS_SQL);
}

async function exportSnapshot({ sql }: Session): Promise<string> {
  const [row] = await sql.unsafe<{ id: string }[]>("select pg_catalog.pg_export_snapshot() as id");
  return row!.id;
}
