/** Streams of bytes: reading a request's body without owning it, so that what is left over can still be read. */

/** The chunks of a stream. Leaving the loop early leaves the stream open, which a plain `for await` would cancel. */
export async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

/** A client that has nothing more to send for so long has read the answer already, or is gone. */
const PATIENCE_MS = 1000;

/**
 * Reads what is left of a body and forgets it. A client that is still sending when the connection closes takes that for
 * a failure of the network and never reads the answer.
 */
export async function drain(request: Request): Promise<void> {
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  try {
    while ((await within(reader.read(), PATIENCE_MS))?.done === false);
  } catch {
    // The client is gone.
  }
}

/** Returns what a promise gives, or undefined when it takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: number | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), ms));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One array of several. */
export function concat(parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
