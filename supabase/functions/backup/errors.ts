/** The catalogue of errors: each code once, with the advice that goes with it. */

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
  | "snapshot_lost"
  | "lease_lost"
  | "worker_ended"
  | "busy"
  | "not_started"
  | "storage_failed"
  | "storage_full"
  | "manifest_invalid"
  | "verification_failed"
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
