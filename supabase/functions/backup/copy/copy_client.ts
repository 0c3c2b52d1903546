/**
 * The client of an invocation that copies backups out of the project: one method for each in
 * schemas/backup/copy_verbs.sql.
 */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { Reason, Settings, StoredPart } from "../run/run_client.ts";

/** SQLSTATE of a verb after the turn was lost. */
const LOST_TURN = "BK001";

/** A task for one backup. */
export interface CopyTask {
  run_id: number;
  /** `copy` it, `remove` its copy, copy Storage's `files` of its time, or `check` whether the copy is still whole. */
  action: "copy" | "remove" | "files" | "check";
  /** Its folder in both buckets. */
  name: string;
  /** The bucket of the project that holds it. */
  bucket: string;
  /** SHA-256 of its manifest. */
  checksum: string;
  /** Objects that have arrived. */
  copied: StoredPart[];
}

/** A file of one of the project's buckets. */
export interface DueFile {
  bucket: string;
  name: string;
  version: string;
  bytes: number;
  type: string | null;
}

/** The result for a file: `sha256`, or `error` where it could not be copied. */
export interface CopiedFile extends Omit<DueFile, "type"> {
  sha256: string | null;
  error: string | null;
}

/** Every method throws BackupError `lease_lost` when another invocation has the turn. */
export class CopyClient {
  readonly #control: Session;
  readonly #copier = crypto.randomUUID();

  constructor(control: Session) {
    this.#control = control;
  }

  /** Takes the turn; returns null when another invocation has it, or there is no task. */
  enter(): Promise<Settings | null> {
    return this.#call("_register_copier", "", []);
  }

  /** Returns the next task; null when none is left, or a run has begun. */
  next(): Promise<CopyTask | null> {
    return this.#call("_next_copy", "", []);
  }

  async copied(runId: number, { name, bytes, sha256 }: StoredPart): Promise<void> {
    await this.#call("_record_copied_object", ", $2::bigint, $3, $4::bigint, $5", [
      runId,
      name,
      bytes,
      sha256,
    ]);
  }

  /** Records that all objects were looked up; those that are missing or wrong are copied again. */
  async checked(runId: number, missing: string[]): Promise<void> {
    await this.#call(
      "_record_copy_check",
      ", $2::bigint, array(select pg_catalog.jsonb_array_elements_text($3::pg_catalog.text::pg_catalog.jsonb))",
      [runId, JSON.stringify(missing)],
    );
  }

  async removed(runId: number): Promise<void> {
    await this.#call("_mark_copy_removed", ", $2::bigint", [runId]);
  }

  /** Returns the next files; null when a run has begun. */
  nextFiles(): Promise<DueFile[] | null> {
    return this.#call("_next_files", "", []);
  }

  async filesCopied(files: CopiedFile[]): Promise<void> {
    await this.#call("_record_copied_files", ", $2::pg_catalog.text::pg_catalog.jsonb", [
      JSON.stringify(files),
    ]);
  }

  goneFiles(): Promise<Pick<DueFile, "bucket" | "name">[]> {
    return this.#call("_next_removed_files", "", []);
  }

  async filesRemoved(files: Pick<DueFile, "bucket" | "name">[]): Promise<void> {
    await this.#call("_record_removed_files", ", $2::pg_catalog.text::pg_catalog.jsonb", [
      JSON.stringify(files),
    ]);
  }

  async filesDone(runId: number): Promise<void> {
    await this.#call("_mark_files_copied", ", $2::bigint", [runId]);
  }

  /** Records a failure; `final` when an early retry would fail the same way. */
  async failed(runId: number, error: Reason, final: boolean): Promise<void> {
    await this.#call(
      "_record_copy_failure",
      ", $2::bigint, $3::pg_catalog.text::pg_catalog.jsonb, $4::boolean",
      [
        runId,
        JSON.stringify(error),
        final,
      ],
    );
  }

  /** Gives the turn back; while tasks are left the database calls the next invocation. */
  async leave(): Promise<void> {
    await this.#call("_release_copier", "", []);
  }

  async #call<Answer>(verb: string, parameters: string, values: unknown[]): Promise<Answer> {
    try {
      const [row] = await this.#control.sql.unsafe<{ answer: Answer }[]>(
        `select pg_catalog.to_jsonb(backup.${verb}($1::pg_catalog.uuid${parameters})) as answer`,
        [this.#copier, ...values] as never[],
      );
      return row!.answer;
    } catch (error) {
      if ((error as { code?: string }).code !== LOST_TURN) throw error;
      throw new BackupError("lease_lost", (error as Error).message, "Another invocation copies.", error);
    }
  }
}
