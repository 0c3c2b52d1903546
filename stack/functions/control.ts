/** What the runner and a worker's bootstrap module tell each other, as lines of JSON over a connection on loopback. */

/** Why `beforeunload` is dispatched: the runtime's own words. */
export type UnloadReason = "cpu" | "memory" | "wall_clock" | "early_drop" | "termination";

export type FromWorker =
  /** What comes next is the function, whose CPU counts. */
  | { ready: true }
  /** The function serves on this port of 127.0.0.1. */
  | { booted: number }
  /** Whether a handler runs or a promise of waitUntil() is pending. */
  | { busy: boolean }
  /** `beforeunload` was dispatched; with `early_drop` only when the worker is not busy. */
  | { unloaded: UnloadReason };

export type FromRunner =
  /** The answer to `ready`. */
  | { load: true }
  /** Collect all garbage now, as the platform does when it retires an isolate. */
  | { collect: true }
  | { unload: UnloadReason };

export interface Control<In, Out> {
  send(message: Out): void;
  /** Ends when the other side has closed or is gone. */
  messages: AsyncIterable<In>;
  close(): void;
}

/** Speaks over `connection`, which it owns from now on. */
export function speak<In, Out>(connection: Deno.TcpConn): Control<In, Out> {
  const writer = connection.writable.getWriter();
  return {
    // The other side may be gone: then its end is noticed by reading.
    send: (message) =>
      void writer.write(new TextEncoder().encode(JSON.stringify(message) + "\n")).catch(() => {}),
    messages: parseLines(connection.readable),
    close: () => void writer.abort().catch(() => {}),
  };
}

async function* parseLines<In>(bytes: ReadableStream<Uint8Array>): AsyncIterable<In> {
  for await (const line of lines(bytes)) yield JSON.parse(line);
}

/** Lines of UTF-8 text without their ends; stops where the stream does, broken or not. */
export async function* lines(bytes: ReadableStream<Uint8Array>): AsyncIterable<string> {
  let rest = "";
  try {
    for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      yield* parts;
    }
  } catch {
    // The process or connection behind it is gone, which its owner sees for itself.
  }
  if (rest !== "") yield rest;
}
