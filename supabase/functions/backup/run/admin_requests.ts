/** Requests of holders of the secret key: start a run, read the log, read the backups' health. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** `backup.start()` refuses with this SQLSTATE: a run is active, or nothing is configured. */
const NOT_IN_PREREQUISITE_STATE = "55000";

const MOST_RUNS = 1000;

/** Starts a manual run and returns its number. Throws BackupError `not_started` with the database's own reason. */
export async function startRun(control: Session): Promise<number> {
  try {
    const [row] = await control.sql<{ run_id: string }[]>`select backup.start('manual') as run_id`;
    return Number(row!.run_id);
  } catch (error) {
    const { code, message, hint } = error as {
      code?: string;
      message: string;
      hint?: string;
    };
    if (code !== NOT_IN_PREREQUISITE_STATE) throw error;
    throw new BackupError("not_started", message, hint ?? "", error);
  }
}

/**
 * Returns rows of the log, newest first: `{limit}` of them (20), or the one with `{run_id}`. Throws BackupError
 * `bad_request`.
 */
export async function readLog(control: Session, query: unknown): Promise<unknown[]> {
  const { limit = 20, run_id: runId = null } = (query ?? {}) as {
    limit?: unknown;
    run_id?: unknown;
  };
  const wrong = !Number.isInteger(limit) || Number(limit) < 1 ||
    Number(limit) > MOST_RUNS ||
    (runId !== null && !Number.isSafeInteger(runId));
  if (wrong) {
    throw new BackupError(
      "bad_request",
      "Invalid log query",
      `Send {"log": {"limit": 1 to ${MOST_RUNS}}} or {"log": {"run_id": number}}.`,
    );
  }
  const rows = await control.sql<{ run: unknown }[]>`
    select pg_catalog.to_jsonb(l) operator(pg_catalog.-) 'settings' as run
    from backup.log l
    where ${runId as number | null}::bigint is null or l.id operator(pg_catalog.=) ${runId as
    | number
    | null}::bigint
    order by l.id desc
    limit ${limit as number}`;
  return rows.map(({ run }) => run);
}

/** Returns the row of `backup.health`. */
export async function readHealth(control: Session): Promise<unknown> {
  const [row] = await control.sql<
    { health: unknown }[]
  >`select pg_catalog.to_jsonb(h) as health from backup.health h`;
  return row!.health;
}
