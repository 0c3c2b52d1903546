/** What one invocation takes on: bytes of COPY text that two seconds of CPU export, with room to spare. */
export class Budget {
  readonly #bytes: number;
  #spent = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get left(): number {
    return Math.max(0, this.#bytes - this.#spent);
  }

  /** Share of the budget that is spent; may be above 1. */
  get share(): number {
    return this.#spent / this.#bytes;
  }

  spend(bytes: number): void {
    this.#spent += bytes;
  }
}

/** What other work costs, in bytes of COPY text that take as much CPU. */
export const COST = {
  /** An entry of the table of contents: read from the catalogs, ordered, written. */
  entry: 4 * 1024,
  /** A stored byte that is read back for verification. */
  verifiedByte: 0.45,
  /** A removed or listed object of the bucket. */
  object: 4 * 1024,
} as const;
