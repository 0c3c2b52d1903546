/** What all commands share of the terminal: tables, the progress bar, and the one way out. */
import { SingleBar } from "cli-progress";
import Table from "cli-table3";
import colors from "picocolors";

/** A wrong way to call a command: exit code 2, with the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A failure that says what to do; `BackupError` of the function has the same shape. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(message: string, readonly hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/**
 * Runs a command and ends the process: 0 when it resolves, 1 when it throws, 2 for wrong usage.
 * Results go to standard output, everything else to standard error.
 */
export async function runCommand(usage: string, command: (args: string[]) => Promise<void>): Promise<never> {
  try {
    if (Deno.args.includes("--help") || Deno.args.includes("-h")) console.log(usage);
    else await command(Deno.args);
    return Deno.exit(0);
  } catch (error) {
    printError(error);
    if (!isUsageError(error)) return Deno.exit(1);
    console.error(`\n${usage}`);
    return Deno.exit(2);
  }
}

/** `parseArgs` of node:util throws TypeErrors with these codes for unknown or malformed options. */
function isUsageError(error: unknown): boolean {
  return error instanceof UsageError ||
    (error instanceof Error && String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS"));
}

export function printError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const hint = (error as { hint?: unknown } | null)?.hint;
  console.error(`${colors.red("error:")} ${message}`);
  if (typeof hint === "string" && hint !== "") console.error(`${colors.yellow("hint:")} ${hint}`);
}

export type Align = "left" | "right";

/** A table with a bold head; columns are aligned as `aligns` says, left where it says nothing. */
export function table(head: string[], rows: string[][], aligns: Align[] = []): string {
  const drawn = new Table({
    head: head.map((title) => colors.bold(title)),
    colAligns: head.map((_, column) => aligns[column] ?? "left"),
    style: { head: [], border: [], compact: true },
  });
  drawn.push(...rows);
  return drawn.toString();
}

export interface Progress {
  /** `done` of `total` in any unit; `note` stands at the end of the line. */
  update(done: number, total: number, note: string): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line when the note has changed, at most one a second, so that a log stays readable. */
export function progress(label: string): Progress {
  return Deno.stderr.isTerminal() ? bar(label) : lines(label);
}

function bar(label: string): Progress {
  const drawn = new SingleBar({
    format: `${label} ${colors.cyan("{bar}")} {percentage} % {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    barsize: 30,
    stream: process.stderr,
  });
  drawn.start(1, 0, { note: "" });
  return {
    update(done, total, note) {
      drawn.setTotal(Math.max(total, 1));
      drawn.update(Math.min(done, Math.max(total, 1)), { note });
    },
    stop: () => drawn.stop(),
  };
}

function lines(label: string): Progress {
  let current = "";
  let shown = "";
  let shownAt = -Infinity;
  const show = () => {
    if (current !== shown) console.error(`${label}: ${current}`);
    shown = current;
    shownAt = performance.now();
  };
  return {
    update(_done, _total, note) {
      current = note;
      if (performance.now() - shownAt >= 1000) show();
    },
    stop: show,
  };
}
