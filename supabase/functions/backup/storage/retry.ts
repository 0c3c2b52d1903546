/** Retries calls to a bucket where a retry may help. */
import { type Bucket, BucketError } from "./bucket.ts";

export interface RetryOptions {
  /** How often a call is tried in total. */
  tries?: number;
  /** Ends the waiting between two tries; the call then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called before each retry: for the function's log. */
  onRetry?(error: BucketError, waitMs: number): void;
  /** For tests. */
  sleep?(ms: number): Promise<void>;
  random?(): number;
}

/** Six tries wait about 12 seconds in all: longer than a restart of Storage, shorter than a lease. */
const TRIES = 6;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/**
 * Returns the bucket with retries: calls that fail with `temporary` (network, 408, 429, 5xx) are repeated after an
 * exponential wait with jitter, so that workers that failed together do not return together. Everything else is thrown
 * at once.
 */
export function retrying<B extends Bucket>(bucket: B, options: RetryOptions = {}): B {
  const { tries = TRIES, signal, onRetry, random = Math.random } = options;
  const sleep = options.sleep ?? ((ms: number) => sleepFor(ms, signal));

  async function persist<T>(call: () => Promise<T>): Promise<T> {
    for (let tried = 1;; tried++) {
      try {
        return await call();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof BucketError) || error.failure !== "temporary") {
          throw error;
        }
        if (tried === tries) throw givenUp(error, tries);
        const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tried - 1));
        const wait = Math.round(longest * (0.5 + random() / 2));
        onRetry?.(error, wait);
        await sleep(wait);
      }
    }
  }

  const repeated = Object.entries(bucket).map(([name, member]) => [
    name,
    typeof member === "function" ? (...values: unknown[]) => persist(() => member(...values)) : member,
  ]);
  return Object.fromEntries(repeated) as B;
}

function givenUp(error: BucketError, tries: number): BucketError {
  return new BucketError(
    error.failure,
    `${error.message}, ${tries} times in a row`,
    error.hint,
    error,
  );
}

async function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal!.reason);
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
