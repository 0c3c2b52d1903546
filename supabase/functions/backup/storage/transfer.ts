/** What every request for an object has: a time limit, and a body that may break off. */

/** Ends a request when its time is up, or when the worker is told to stop. */
export function deadline(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const limit = AbortSignal.timeout(milliseconds);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

/** The body as it arrives; a connection that breaks is `failed`'s error, not the consumer's. */
export async function* arriving(
  body: AsyncIterable<Uint8Array>,
  failed: (cause: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) yield piece;
  } catch (error) {
    throw failed(error);
  }
}
