/** What happens when a command is told to end: by Ctrl-C, by `kill`, or because its terminal is gone. */

/** Cleans up at once, and returns what a person should know about the state that is left. */
export type OnInterrupt = () => string | void | Promise<string | void>;

const handlers: OnInterrupt[] = [];

/** Exit codes as shells have them: 128 and the number of the signal. */
const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Has `handler` called when the command is interrupted, until the result is disposed. */
export function onInterrupt(handler: OnInterrupt): Disposable {
  handlers.push(handler);
  return {
    [Symbol.dispose]() {
      const index = handlers.indexOf(handler);
      if (index >= 0) handlers.splice(index, 1);
    },
  };
}

/**
 * Within this time a second signal is the first one again: the terminal sends Ctrl-C to a launcher as well, which
 * passes it on.
 */
const SAME_SIGNAL_MILLISECONDS = 1000;

/**
 * On a signal calls `began`, the handlers (the last one first), and `ended` with the exit code and what the handlers
 * said. A later signal ends the process at once.
 */
export function listenForInterrupts(began: () => void, ended: (code: number, said: string[]) => void): void {
  let interruptedAt: number | null = null;
  for (
    const [signal, code] of Object.entries(SIGNAL_EXIT_CODES) as [keyof typeof SIGNAL_EXIT_CODES, number][]
  ) {
    if (Deno.build.os === "windows" && signal !== "SIGINT") continue;
    Deno.addSignalListener(signal, async () => {
      if (interruptedAt !== null) {
        if (performance.now() - interruptedAt > SAME_SIGNAL_MILLISECONDS) Deno.exit(code);
        return;
      }
      interruptedAt = performance.now();
      began();
      const said: string[] = [];
      for (const handler of handlers.toReversed()) {
        const text = await Promise.resolve().then(handler).catch((error) => String(error));
        if (typeof text === "string") said.push(text);
      }
      ended(code, said);
    });
  }
}
