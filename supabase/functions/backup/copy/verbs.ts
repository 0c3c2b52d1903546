/** The verbs of an invocation that copies backups out of the project: one method for each in schemas/backup/copies_verbs.sql. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { Reason, Settings, StoredPart } from "../run/verbs.ts";

/** SQLSTATE of a verb after the turn was lost. */
const LOST_TURN = "BK001";

/** What is to be done with one backup. */
export interface CopyTask {
  run_id: number;
  /** `copy` it, `remove` its copy, copy Storage's `files` of its time, or `check` whether the copy is still whole. */
  action: "copy" | "remove" | "files" | "check";
  /** Its folder, here and there. */
  name: string;
  /** The project's own bucket, where it is. */
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

/** What became of it: `sha256`, or `error` where it could not be copied. */
export interface CopiedFile extends Omit<DueFile, "type"> {
  sha256: string | null;
  error: string | null;
}

/** Is this token, unused so far, good for copying? It is used up by this. */
export async function redeemCopyToken(control: Session, token: string): Promise<boolean> {
  const [row] = await control.sql<{ good: boolean }[]>`select backup._redeem_copy(${token}) as good`;
  return row!.good;
}

/** Every method throws BackupError `lease_lost` when another invocation has the turn. */
export class CopyVerbs {
  readonly #control: Session;
  readonly #copier = crypto.randomUUID();

  constructor(control: Session) {
    this.#control = control;
  }

  /** Takes the turn; null when another has it, or nothing is to be done. */
  enter(): Promise<Settings | null> {
    return this.#call("_enter_copy", "", []);
  }

  /** Null when nothing is left, or a run has begun. */
  next(): Promise<CopyTask | null> {
    return this.#call("_next_copy", "", []);
  }

  async copied(runId: number, { name, bytes, sha256 }: StoredPart): Promise<void> {
    await this.#call("_copied", ", $2::bigint, $3, $4::bigint, $5", [runId, name, bytes, sha256]);
  }

  /** All objects were looked up; those that are not as they should be are copied again. */
  async checked(runId: number, missing: string[]): Promise<void> {
    await this.#call(
      "_copy_checked",
      ", $2::bigint, array(select jsonb_array_elements_text($3::text::jsonb))",
      [runId, JSON.stringify(missing)],
    );
  }

  async removed(runId: number): Promise<void> {
    await this.#call("_copy_removed", ", $2::bigint", [runId]);
  }

  /** Null when a run has begun. */
  nextFiles(): Promise<DueFile[] | null> {
    return this.#call("_next_files", "", []);
  }

  async filesCopied(files: CopiedFile[]): Promise<void> {
    await this.#call("_files_copied", ", $2::text::jsonb", [JSON.stringify(files)]);
  }

  goneFiles(): Promise<Pick<DueFile, "bucket" | "name">[]> {
    return this.#call("_gone_files", "", []);
  }

  async filesRemoved(files: Pick<DueFile, "bucket" | "name">[]): Promise<void> {
    await this.#call("_files_removed", ", $2::text::jsonb", [JSON.stringify(files)]);
  }

  async filesDone(runId: number): Promise<void> {
    await this.#call("_files_done", ", $2::bigint", [runId]);
  }

  /** `final`: trying again soon would give the same answer. */
  async failed(runId: number, error: Reason, final: boolean): Promise<void> {
    await this.#call("_copy_failed", ", $2::bigint, $3::text::jsonb, $4::boolean", [
      runId,
      JSON.stringify(error),
      final,
    ]);
  }

  /** Gives the turn back; while something is left the database calls the next invocation. */
  async leave(): Promise<void> {
    await this.#call("_leave_copy", "", []);
  }

  async #call<Answer>(verb: string, parameters: string, values: unknown[]): Promise<Answer> {
    try {
      const [row] = await this.#control.sql.unsafe<{ answer: Answer }[]>(
        `select to_jsonb(backup.${verb}($1::uuid${parameters})) as answer`,
        [this.#copier, ...values] as never[],
      );
      return row!.answer;
    } catch (error) {
      if ((error as { code?: string }).code !== LOST_TURN) throw error;
      throw new BackupError("lease_lost", (error as Error).message, "Another invocation copies.", error);
    }
  }
}
