/** The codes of errors, and the error that carries one. */

export type BackupErrorCode =
  | "bad_request"
  | "unauthorized"
  | "not_configured"
  | "database_unreachable"
  | "permission_denied"
  | "lock_timeout"
  | "table_not_read"
  | "row_too_large"
  | "too_large"
  | "too_many_tables"
  | "snapshot_lost"
  | "lease_lost"
  | "worker_ended"
  | "busy"
  | "call_repeated"
  | "not_started"
  | "not_installed"
  | "version_mismatch"
  | "storage_failed"
  | "storage_full"
  | "bucket_public"
  | "manifest_invalid"
  | "verification_failed"
  | "restore_failed"
  | "cancelled"
  | "internal";

/**
 * An error that a person will read: `message` says what failed and why, `hint` what to do.
 * Neither may hold a connection string or a key; the cause keeps the original for the function's log.
 */
export class BackupError extends Error {
  readonly code: BackupErrorCode;
  readonly hint: string;

  constructor(code: BackupErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "BackupError";
    this.code = code;
    this.hint = hint;
  }
}
