/** Answers of the function: JSON, and errors as `{code, message, hint}`. */
import { BackupError, type BackupErrorCode } from "./errors.ts";
import { log } from "./log.ts";
import type { UnreachableError } from "./postgres/unreachable.ts";

/** None is 5xx, whose body the platform's gateway might replace, and which it counts as a crash of the function. */
const STATUS: Partial<Record<BackupErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  not_started: 409,
  not_installed: 409,
  version_mismatch: 409,
  not_configured: 424,
  database_unreachable: 424,
  call_repeated: 409,
  busy: 429,
};

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

/** Returns the answer for an error; what a caller must not read is in the log alone. */
export function failure(error: unknown): Response {
  if (!(error instanceof BackupError)) {
    log("call failed", { error: String(error) });
    return json(500, { code: "internal", message: "The call failed", hint: "See the logs of the function." });
  }
  const { code, message, hint } = error;
  log("call refused", { code, message });
  const headers: Record<string, string> = code === "busy" ? { "retry-after": "1" } : {};
  return json(STATUS[code] ?? 500, { code, message, hint }, headers);
}

export function methodNotAllowed(method: string): Response {
  const body = { code: "bad_request", message: `Method ${method} is not supported`, hint: "Use POST." };
  return json(405, body, { allow: "POST" });
}

export function unauthorizedError(): BackupError {
  return new BackupError(
    "unauthorized",
    "The call has neither a valid token of this database nor a secret key of this project",
    "Send the secret key in the header `apikey`, or start the backup in SQL: select backup.start('manual'). " +
      "If the database sent this call, see the function's logs for why its token was not accepted.",
  );
}

/** Returns the error for a caller who may be anybody. */
export function unreachableError({ reason, hint }: UnreachableError): BackupError {
  return new BackupError(
    "database_unreachable",
    `The function cannot connect to the database: ${reason}`,
    hint,
  );
}

export function repeatedError(): BackupError {
  return new BackupError("call_repeated", "This call has arrived before", "The first one does the work.");
}

export function busyError(): BackupError {
  return new BackupError("busy", "This isolate is busy with another call", "The database retries by itself.");
}
