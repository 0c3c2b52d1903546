/** The end of a restore that changes nothing. */
import { BackupError } from "../errors.ts";
import type { Entry } from "../entry.ts";
import { labelOf } from "./names.ts";
import { isCollision, isOutOfLocks, type ServerError, words } from "./server_error.ts";

const NOTHING = "Nothing was changed: the restore is one transaction.";

/** Makes the error of an entry with which the restore ends. */
export function stoppedAt(entry: Entry | string, error: ServerError, oneTransaction: boolean): BackupError {
  const what = typeof entry === "string" ? entry : labelOf(entry);
  const state = oneTransaction
    ? NOTHING
    : "What came before it is in the target: empty it before you begin again.";
  return new BackupError(
    "restore_failed",
    `Cannot restore ${what}: ${words(error)}`,
    `${state} ${advice(error)}`,
    error,
  );
}

function advice(error: ServerError): string {
  if (isCollision(error)) {
    return "The target has it already. Restore into an empty database, or drop it first with --clean.";
  }
  if (isOutOfLocks(error)) {
    return "One transaction cannot lock that many objects on this server. Add --jobs 2, or raise max_locks_per_transaction.";
  }
  return "Remove the cause and run the same command again.";
}
