/** One instant of the database, shared by sessions: begun, imported, and its tables held. */
import { BackupError } from "../errors.ts";
import type { Session } from "./session.ts";

/**
 * The settings that pg_dump fixes before it reads (pg_dump.c, setup_connection), for the same reasons: text that reads back the
 * same anywhere, no row hidden by a policy, no timeout of the role's in the middle.
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
  // A name that is not qualified would depend on who reads.
  search_path: "",
};

/** Settings that some servers do not have. */
const NEWER_SETTINGS: Record<string, string> = {
  // Since 17.
  transaction_timeout: "0",
  // Minor releases of 2024: a view that took the place of a sequence must not run its owner's functions as us.
  restrict_nonsystem_relation_kind: "view, foreign-table",
};

const NEWER_SETTINGS_SQL = `
  select pg_catalog.set_config(name, value, false)
  from (values ${
  Object.entries(NEWER_SETTINGS).map(([name, value]) => `('${name}', '${value}')`).join(", ")
}) as setting (name, value)
  where pg_catalog.current_setting(name, true) is not null`;

/** SQL_ASCII is no encoding: its bytes cannot be converted, so they are taken as they are. */
const ENCODING_SQL = `pg_catalog.set_config('client_encoding',
  case pg_catalog.current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end, false)`;

const SETTINGS_SQL = [
  ENCODING_SQL,
  ...Object.entries(SETTINGS).map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`),
].join(", ");

/** Locks are taken in statements of this many tables: one for each would be a round trip for each. */
const LOCK_BATCH = 200;

/** Those of the named tables that somebody has, or wants, for himself. */
const IN_THE_WAY = `
  select distinct name
  from pg_catalog.jsonb_array_elements_text($1::text::jsonb) name
  join pg_catalog.pg_locks l on l.relation = pg_catalog.to_regclass(name)
  where l.mode = 'AccessExclusiveLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  order by name`;

const NAMES_LENGTH = 200;

/** Begins `repeatable read, read only`; answers the id under which others import its snapshot. */
export async function beginSnapshot(session: Session): Promise<string> {
  await begin(session);
  return await exportSnapshot(session);
}

/**
 * Begins with the first of `ids` that can still be imported; answers the id of its own export.
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
    return await exportSnapshot(session);
  }
  throw new BackupError(
    "snapshot_lost",
    "No worker holds the snapshot of this run any more",
    "The run starts over by itself, with a new snapshot.",
  );
}

/**
 * Takes `access share` on tables (quoted, qualified names), as pg_dump does. Waits `lockTimeoutMs` at most for each: behind a
 * waiting lock every later query of the site would queue up. Throws BackupError `lock_timeout`; the transaction is over then.
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
      throw await locked(session, batch, error);
    }
  }
}

async function locked({ sql }: Session, batch: string[], error: unknown): Promise<unknown> {
  if ((error as { code?: string }).code !== "55P03") return error;
  // The transaction has failed, and answers nothing more. Whoever stood in the way most likely still does.
  const found = await sql.unsafe("rollback")
    .then(() => sql.unsafe<{ name: string }[]>(IN_THE_WAY, [JSON.stringify(batch)]))
    .catch(() => []);
  const which = found.map(({ name }) => name).join(", ") || `one of ${batch.join(", ")}`;
  return new BackupError(
    "lock_timeout",
    `${which.slice(0, NAMES_LENGTH)} is locked by someone else, and the lock did not come in time`,
    "A migration or another long statement holds it: see pg_locks, and let it end or cancel it.",
    error,
  );
}

async function begin({ sql }: Session): Promise<void> {
  await sql.unsafe(`select ${SETTINGS_SQL}`);
  await sql.unsafe(NEWER_SETTINGS_SQL);
  await sql.unsafe("begin transaction isolation level repeatable read, read only");
}

async function exportSnapshot({ sql }: Session): Promise<string> {
  const [row] = await sql.unsafe<{ id: string }[]>("select pg_catalog.pg_export_snapshot() as id");
  return row!.id;
}
