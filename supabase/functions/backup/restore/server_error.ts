/** What the server says when it refuses, and what that means for a restore. */
import { isStatementError } from "../postgres/session.ts";

/** The fields of an ErrorResponse that a restore looks at. */
export interface ServerError extends Error {
  code: string;
  detail?: string;
  hint?: string;
  where?: string;
  table_name?: string;
  schema_name?: string;
  constraint_name?: string;
  /** As the driver spells it. */
  "data type_name"?: string;
}

/** Returns whether the error is the server's own, about a statement. */
export function isServerError(error: unknown): error is ServerError {
  return isStatementError(error);
}

/** Extension files are missing: the object cannot be had, and the rest can. */
const UNDEFINED_FILE = "58P01";

/**
 * Returns whether going on is of no use: the connection, the machine, the transaction or a person's cancel is the
 * reason, not the archive.
 */
export function isFatal({ code }: ServerError): boolean {
  return code !== UNDEFINED_FILE && /^(08|25|2D|40|53|55P03|57|58|F0)/.test(code);
}

/** The server's lock table is full: it is sized when the server starts, and a transaction keeps what it locks. */
export function isOutOfLocks({ code, hint }: ServerError): boolean {
  return code === "53200" && /max_locks_per_transaction/.test(hint ?? "");
}

/** A statement was cancelled: it ran into statement_timeout, or a person ended it. */
export function isTimeout({ code }: ServerError): boolean {
  return code === "57014";
}

/**
 * The object is in the target already. That is the target's fault, which a person can mend; nothing in the archive is.
 */
export function isCollision({ code }: ServerError): boolean {
  return ["42P04", "42P05", "42P06", "42P07", "42710", "42723"].includes(code);
}

/** A name was not found; under another search_path it may be. */
export function isUnresolved({ code }: ServerError): boolean {
  return ["42883", "42P01", "42704", "42703", "3F000", "42804", "42846"].includes(code);
}

/** Something that is dropped is not there. */
export function isMissing({ code }: ServerError): boolean {
  return ["42883", "42P01", "42704", "42703", "3F000", "3D000"].includes(code);
}

/** Returns the error on one line with its detail. */
export function words({ message, detail, where }: ServerError): string {
  const [place] = (where ?? "").split("\n");
  return [message, detail, place].filter((text) => text).join("; ");
}
