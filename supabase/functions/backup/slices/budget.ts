/** COPY text that is compressed at level 4, with its checksum, in a millisecond: three quarters of what exporting it takes. */
const USUAL_BYTES_PER_MS = 120_000;

/** What one invocation takes on: bytes of COPY text that two seconds of CPU export, with room to spare. */
export class Budget {
  readonly #bytes: number;
  #spent = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Whole bytes, as the database counts them. */
  get left(): number {
    return Math.max(0, Math.floor(this.#bytes - this.#spent));
  }

  /** Share of the budget that is spent; may be above 1. */
  get share(): number {
    return this.#spent / this.#bytes;
  }

  /**
   * `busyMs` is how long compressing the bytes has taken. Text that compresses badly, a high level or a busy machine make it
   * longer than usual; then the bytes count for more, and the CPU lasts.
   */
  spend(bytes: number, busyMs = 0): void {
    this.#spent += Math.max(bytes, busyMs * USUAL_BYTES_PER_MS);
  }
}

/** What other work costs, in bytes of COPY text that take as much CPU. */
export const COST = {
  /** An entry of the table of contents: read from the catalogs, ordered, written. */
  entry: 4 * 1024,
  /** A stored byte that is read back for verification. */
  verifiedByte: 0.45,
  /** A stored byte that is copied to the second bucket: read, hashed, sent. */
  copiedByte: 0.4,
  /** An object or file for the second bucket, whatever its size: two requests or three, and what the database is told of it. */
  request: 384 * 1024,
  /** A removed or listed object of the bucket. */
  object: 4 * 1024,
} as const;
