/**
 * Reads a part of a table whose owner is not trusted. The owner could add an index or statistics whose functions the
 * server calls when it plans the query. A lock keeps that from happening: `share update exclusive`, which rows that are
 * written do not wait for. It is held for one piece and lies in a savepoint of its own, whose rollback releases it.
 */
import { isPlannable } from "../catalog/plannable.ts";
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** Runs `read`, a query of the table, while nothing can be added to the table. */
export type Guard = <T>(table: string, read: () => Promise<T>) => Promise<T>;

/**
 * Returns a guard for queries of `exporter`. `control` is not in the snapshot: only it sees what was added since. When
 * the guard throws, the caller rolls its own savepoint back. Throws BackupError `lock_timeout` and `table_not_read`.
 */
export function guardOf(exporter: Session, control: Session, lockTimeoutMs: number): Guard {
  const run = (statements: string) => exporter.sql.unsafe(statements).simple();
  return async (table, read) => {
    try {
      await run(`savepoint guard; set local lock_timeout = ${Math.max(1, Math.trunc(lockTimeoutMs))};
        lock table only ${table} in share update exclusive mode`);
    } catch (error) {
      throw (error as { code?: string }).code === "55P03" ? lockedError(table, error) : error;
    }
    if (!await isPlannable(control, table)) throw changedError(table);
    const result = await read();
    await run("rollback to savepoint guard; release savepoint guard");
    return result;
  };
}

function lockedError(table: string, cause: unknown): BackupError {
  return new BackupError(
    "lock_timeout",
    `Cannot lock ${table} in time: another session holds a lock`,
    "Find the session in pg_locks, often a vacuum or a migration, and let it end or cancel it.",
    cause,
  );
}

function changedError(table: string): BackupError {
  return new BackupError(
    "table_not_read",
    `Cannot read a part of table ${table}: an index or statistics of it calls a function of a role that is not trusted`,
    "The run starts over by itself, and copies the table as a whole. Do not add such an index while backups run.",
  );
}
