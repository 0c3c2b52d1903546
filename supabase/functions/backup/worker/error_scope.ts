/** The scope of an error: it ends this worker, the attempt, or the run. */
import { BackupError, type BackupErrorCode } from "../errors.ts";
import type { Reason } from "../run/run_client.ts";

/**
 * `nothing`: the run goes on and records nothing · `worker`: other workers take over its slices · `attempt`: a new
 * snapshot · `run`.
 */
export type Ending = "nothing" | "worker" | "attempt" | "run";

/** A retry would fail the same way. */
const FINAL: ReadonlySet<BackupErrorCode> = new Set<BackupErrorCode>([
  "permission_denied",
  "row_too_large",
  "too_large",
  "too_many_tables",
  "storage_full",
  "bucket_public",
  "not_configured",
]);

/** Only another snapshot can help. */
const SNAPSHOT: ReadonlySet<BackupErrorCode> = new Set<BackupErrorCode>([
  "snapshot_lost",
  "lock_timeout",
  "table_not_read",
  "verification_failed",
]);

export function scopeOf(error: unknown): Ending {
  const code = asBackupError(error).code;
  if (code === "lease_lost") return "nothing";
  if (FINAL.has(code)) return "run";
  return SNAPSHOT.has(code) ? "attempt" : "worker";
}

/** Returns what the log row records of an error. */
export function reasonOf(error: unknown): Reason {
  const { code, message, hint } = asBackupError(error);
  return { code, message, hint };
}

/** SQLSTATEs (PostgreSQL documentation, appendix A) that say more than "internal". */
function asBackupError(error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const { code = "", hint } = (error ?? {}) as { code?: string; hint?: string };
  if (code === "42501") {
    return new BackupError(
      "permission_denied",
      message,
      hint ?? "Grant the missing privilege to the role that the function connects as.",
      error,
    );
  }
  // Data that cannot be read (22), a corrupted table (XX), out of memory or disk (53).
  if (/^(22|XX|53)/.test(code)) {
    return new BackupError("table_not_read", message, hint ?? "See the log of the database.", error);
  }
  return new BackupError(
    "internal",
    message,
    hint ?? "See the logs of the function and of the database.",
    error,
  );
}
