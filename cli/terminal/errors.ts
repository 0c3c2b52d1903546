/** Errors that a person reads: what failed, and what to do. */

/** Thrown for a wrong way to call a command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(message: string, readonly hint = "") {
    super(message);
  }
}

/** A failure with a hint; `BackupError` of the function has the same shape. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    message: string,
    readonly hint: string,
    cause?: unknown,
    /** Shown as a list below the message. */
    readonly details: readonly string[] = [],
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Returns the system's own words for an error of a file, without what the runtime adds to them. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\)[\s\S]*$/, "");
}
