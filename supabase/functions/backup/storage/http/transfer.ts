/** The time limit of a request for an object, and its body, which may break off. */

/** Ends a request when its time is up, or when the worker is told to stop. */
export function deadline(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const limit = AbortSignal.timeout(milliseconds);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

/** Returns the body as it arrives; a connection that breaks throws `failed`'s error, not the consumer's. */
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
