/** The forms in which the page is answered: parts that may fail by themselves, and lines as they come. */

/** A part of a page, which may fail without the others: its value, or what failed and what to do. */
export type Settled<T> =
  | { value: T; error?: undefined }
  | { error: { message: string; hint: string }; value?: undefined };

export function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then((value) => ({ value }), (error: Error & { hint?: string }) => ({
    error: { message: error.message, hint: error.hint ?? "" },
  }));
}

/** Sends each message as a line of JSON, and an error as the last one. */
export async function sendLines(
  stream: { write(text: string): Promise<unknown>; aborted: boolean },
  messages: () => AsyncIterable<unknown>,
): Promise<void> {
  try {
    for await (const message of messages()) {
      await stream.write(`${JSON.stringify(message)}\n`);
      if (stream.aborted) return;
    }
  } catch (error) {
    const { message, hint = "" } = error as Error & { hint?: string };
    await stream.write(`${JSON.stringify({ error: { message, hint } })}\n`);
  }
}

/** The newest of states that come faster than they are sent. */
export class Progress {
  #newest: { name: string; done: number; total: number } | null = null;
  #wake = Promise.withResolvers<void>();

  set(progress: { name: string; done: number; total: number }): void {
    this.#newest = progress;
    this.#wake.resolve();
  }

  async next(): Promise<{ progress: { name: string; done: number; total: number } }> {
    await this.#wake.promise;
    this.#wake = Promise.withResolvers();
    return { progress: this.#newest! };
  }
}
