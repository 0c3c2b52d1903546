/**
 * The client of an invocation that works on backups inside the project: one method for each in
 * schemas/backup/restore_verbs.sql.
 */
import { BackupError } from "../errors.ts";
import type { RowPlace } from "../archive/row_batches.ts";
import type { Check } from "../compare/check.ts";
import type { Session } from "../postgres/session.ts";
import type { Reason, Settings } from "../run/run_client.ts";

const LOST_TURN = "BK001";
const CANCELLED = "BK002";

interface OfBackup {
  id: number;
  backup: string;
  /** Null where the log does not have the backup any more. */
  bucket: string | null;
  /** SHA-256 of its manifest. */
  checksum: string | null;
}

export interface PeekTask extends OfBackup {
  action: "peek";
  schema: string;
  name: string;
  row_limit: number;
}

export interface RestoreTask extends OfBackup {
  action: "restore" | "remove" | "drill";
  kind: "table" | "rows" | "schema" | "drill";
  subject: string | null;
  keys: string[] | null;
  into_schema: string | null;
  state: unknown;
  rows: number;
  raw_bytes: number;
  exceptions: RestoreException[];
}

/** Drops the scratch database that a drill has left. */
export interface CleanTask extends OfBackup {
  action: "clean";
}

export type InsideTask = PeekTask | RestoreTask | CleanTask;

/** What is not as in the backup. */
export interface RestoreException {
  entry: string;
  why: string;
  mend?: string[];
}

/** How far the rows of a table have come. */
export interface RowsDone {
  /** Where the next row is. */
  place: RowPlace;
  rows: number;
  /** Adler-32 of the text so far. */
  adler32: number;
}

/** Statements for a person, as text of several. */
export interface Statements {
  see_differences?: string;
  insert_missing?: string;
  update_changed?: string;
  create_again?: string;
}

/**
 * Every method throws BackupError: `lease_lost` when another invocation has the turn, `cancelled` when a person
 * cancelled.
 */
export class InsideClient {
  readonly #control: Session;
  readonly #worker = crypto.randomUUID();

  constructor(control: Session) {
    this.#control = control;
  }

  /** Takes the turn; returns null when another invocation has it, or there is no task. */
  enter(): Promise<Settings | null> {
    return this.#call("_register_restorer", "", []);
  }

  next(): Promise<InsideTask | null> {
    return this.#call("_next_restore", "", []);
  }

  async peeked(id: number, found: unknown[] | null, error: Reason | null): Promise<void> {
    await this.#call(
      "_record_peek",
      ", $2::bigint, $3::pg_catalog.text::pg_catalog.jsonb, $4::pg_catalog.text::pg_catalog.jsonb",
      [id, text(found), text(error)],
    );
  }

  /** Records how far it has come, in the transaction that holds the rows. */
  async restored(
    { id, rows, raw_bytes, state, exceptions }: RestoreTask,
    progress: string,
  ): Promise<void> {
    await this.#call(
      "_record_restored",
      ", $2::bigint, $3::bigint, $4::bigint, $5::pg_catalog.text::pg_catalog.jsonb, $6, $7::pg_catalog.text::pg_catalog.jsonb",
      [id, rows, raw_bytes, text(state), progress, text(exceptions)],
    );
  }

  async finished(
    id: number,
    status: "succeeded" | "failed" | "cancelled",
    error: Reason | null,
    statements: Statements = {},
  ): Promise<void> {
    await this.#call(
      "_finish_restore",
      ", $2::bigint, $3, $4::pg_catalog.text::pg_catalog.jsonb, $5::pg_catalog.text::pg_catalog.jsonb",
      [
        id,
        status,
        text(error),
        text(statements),
      ],
    );
  }

  async drilled(id: number, target: string, checks: Check[]): Promise<void> {
    await this.#call("_record_drill", ", $2::bigint, $3, $4::pg_catalog.text::pg_catalog.jsonb", [
      id,
      target,
      text(checks),
    ]);
  }

  /** Records a failure; `final` when another try would fail the same way. */
  async failed(id: number, error: Reason, final: boolean): Promise<void> {
    await this.#call(
      "_record_restore_failure",
      ", $2::bigint, $3::pg_catalog.text::pg_catalog.jsonb, $4::boolean",
      [
        id,
        text(error),
        final,
      ],
    );
  }

  /** Gives the turn back; while tasks are left the database calls the next invocation. */
  async leave(): Promise<void> {
    await this.#call("_release_restorer", "", []);
  }

  async #call<Answer>(verb: string, parameters: string, values: unknown[]): Promise<Answer> {
    try {
      const [row] = await this.#control.sql.unsafe<{ answer: Answer }[]>(
        `select pg_catalog.to_jsonb(backup.${verb}($1::pg_catalog.uuid${parameters})) as answer`,
        [this.#worker, ...values] as never[],
      );
      return row!.answer;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      if (code === LOST_TURN) {
        throw new BackupError("lease_lost", message, "Another invocation goes on.", error);
      }
      if (code === CANCELLED) throw new BackupError("cancelled", message, "No action is needed.", error);
      throw error;
    }
  }
}

function text(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
