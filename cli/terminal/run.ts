/** Runs a command to its end, whichever it is, and ends the process with an exit code. */
import { CommandError, UsageError } from "./errors.ts";
import { listenForInterrupts } from "./interrupt.ts";
import { drawStatus, labelled, say } from "./output.ts";
import { colors } from "./style.ts";

export interface ExitCodes {
  failed: number;
  usage: number;
}

let interrupted = false;

/**
 * Ends the process with 0, or what the command has set as `Deno.exitCode`, when `command` resolves. An error is printed
 * and ends it with its own `exitCode` or one of `codes`, a signal with 128 and the signal's number.
 */
export async function runToEnd(command: () => Promise<void>, codes: ExitCodes): Promise<never> {
  listenForInterrupts(() => interrupted = true, (code, said) => {
    drawStatus(null, true);
    printError(new CommandError("Interrupted", said.join(" ")));
    Deno.exit(code);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    printError(event.reason);
    Deno.exit(codes.failed);
  });
  try {
    await command();
  } catch (error) {
    // The handlers of the interrupt say what it means.
    if (!interrupted) {
      drawStatus(null, true);
      printError(error);
      const { exitCode } = (error ?? {}) as { exitCode?: number };
      Deno.exit(exitCode ?? (error instanceof UsageError ? codes.usage : codes.failed));
    }
  }
  if (interrupted) await new Promise(() => {});
  return Deno.exit();
}

function printError(error: unknown): void {
  const { message, hint, details } = explained(error);
  say(...labelled(colors.red("error:"), message), ...details.map((detail) => `  - ${detail}`));
  if (hint !== "") say(...labelled(colors.yellow("hint:"), hint));
}

/** Errors of libraries that say nothing of what to do, by their code. */
const KNOWN: Record<string, string> = {
  CONNECTION_CLOSED: "The database closed the connection. Check that it is up, and run the command again.",
  CONNECTION_ENDED: "The database closed the connection. Check that it is up, and run the command again.",
  CONNECTION_DESTROYED: "The connection was lost. Check the network, and run the command again.",
  CONNECT_TIMEOUT: "Check host, port and network. A paused project must be resumed first.",
  ECONNRESET: "The connection was lost. Check the network, and run the command again.",
  ECONNREFUSED: "Check host and port, and that the server is up.",
  ENOTFOUND: "Check the name of the host.",
};

function explained(error: unknown): { message: string; hint: string; details: readonly string[] } {
  const message = error instanceof Error ? error.message : String(error);
  const { hint, details = [], code } = (error ?? {}) as { hint?: unknown; details?: unknown; code?: unknown };
  const known = typeof code === "string" ? KNOWN[code] ?? "" : "";
  return {
    message,
    hint: typeof hint === "string" && hint !== "" ? hint : known,
    details: Array.isArray(details) ? details.map(String) : [],
  };
}
