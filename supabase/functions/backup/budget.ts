/** The CPU, in milliseconds, at which the platform ends an isolate. It gives it no further requests from 1,000 on. */
const LIMIT_MS = 2000;
/** What is planned for: the rest is for what was not foreseen. */
const LIFE_MS = 1600;
/** Share of its life at which the platform retires an isolate. */
export const RETIRED = 1000 / LIFE_MS;
/** Share of its life that an isolate has spent when it takes its first request, on the evaluation of its modules. */
export const EVALUATION = 100 / LIFE_MS;
/** Share of its life that each request costs beside its work: a token, two sessions over TLS, the end. */
export const ENTERING = 60 / LIFE_MS;
/** Share of its life at which an isolate gives up what it exports: the platform warns at 1,800 and soon ends it. */
const GIVES_UP = 1700 / LIFE_MS;

/** COPY text that a whole life exports, by default (`invocation_bytes`): what milliseconds are turned into. */
const BYTES_PER_MS = 100_000_000 / LIFE_MS;
/** Share of an export's CPU that is not compression and depends on bytes alone: reading, copies, uploads. */
const BESIDES = 0.5;
/** Text of fewer bytes says nothing of what text costs: the time of a few milliseconds is mostly noise. */
const TELLING_BYTES = 1024 * 1024;

/**
 * What one invocation may spend, in bytes of COPY text: as many as an isolate's life exports, less what is spent of it.
 */
export class Budget {
  readonly #life: number;
  readonly #before: number;
  #spent = 0;
  #price = 1;

  /** `life` is what a whole isolate's life exports; `before` is the share of it that is spent. */
  constructor(life: number, before = 0) {
    this.#life = life;
    this.#before = before;
  }

  /** Whole bytes, as the database counts them. */
  get left(): number {
    return Math.max(0, Math.floor(this.#life * (1 - this.#before) - this.#spent));
  }

  /** Whole bytes of COPY text that may still be exported, should they cost as much as those of the last slice. */
  get exportable(): number {
    return Math.floor(this.left / this.#price);
  }

  /** Share of an isolate's life that is spent here; may be above 1. */
  get share(): number {
    return this.#spent / this.#life;
  }

  /** Share of the isolate's life that is spent, before and here; may be above 1. */
  get lifeShare(): number {
    return this.#before + this.share;
  }

  /** CPU that was spent here, as far as it is known. */
  get spentMs(): number {
    return this.share * LIFE_MS;
  }

  /** CPU that the isolate has used since its beginning, as far as it is known here: it lives, so it is in its limit. */
  get lifeMs(): number {
    return Math.min(LIMIT_MS, this.lifeShare * LIFE_MS);
  }

  /** Whether the platform has retired the isolate once an export that is under way is counted as well. */
  isRetired(bytes = 0, busyMs = 0): boolean {
    return this.#shareWith(bytes, busyMs) >= RETIRED;
  }

  /** Whether an export that is under way must end now, so that the worker can still leave in good order. */
  isOver(bytes: number, busyMs: number): boolean {
    return this.#shareWith(bytes, busyMs) >= GIVES_UP;
  }

  /** Counts what costs as much as so many bytes of COPY text. */
  spend(bytes: number): void {
    this.#spent += bytes;
  }

  /** Counts work that took so long. */
  spendTime(busyMs: number): void {
    this.#spent += busyMs * BYTES_PER_MS;
  }

  /**
   * Counts exported text that took so long to compress. That is longer than usual for text that compresses badly, for a
   * high level and on a busy machine. The bytes count for more then, so that the CPU time lasts.
   */
  spendExport(bytes: number, busyMs: number): void {
    const cost = costOf(bytes, busyMs);
    this.#spent += cost;
    if (bytes >= TELLING_BYTES) this.#price = cost / bytes;
  }

  #shareWith(bytes: number, busyMs: number): number {
    return this.#before + (this.#spent + costOf(bytes, busyMs)) / this.#life;
  }
}

function costOf(bytes: number, busyMs: number): number {
  return Math.max(bytes, bytes * BESIDES + busyMs * BYTES_PER_MS);
}

/** What other work costs, in bytes of COPY text that take as much CPU. */
export const COST = {
  /** A plan, however few entries it has: cold code, queries, the files beside the parts. */
  plan: 16 * 1000 * 1000,
  /** An entry of the table of contents: read from the catalogs, ordered, written. */
  entry: 4 * 1024,
  /** A stored byte that is read back for verification. */
  verifiedByte: 0.6,
  /** A stored byte that is copied to the second bucket: read, hashed, sent. */
  copiedByte: 0.9,
  /**
   * An object or file for the second bucket, whatever its size: two requests or three, and a record in the database.
   */
  request: 512 * 1024,
  /** A byte of COPY text that is sent to the database; the time of inflating and hashing is counted beside. */
  restoredByte: 0.3,
  /** A table that is drilled, beside its bytes. */
  restoredTable: 256 * 1024,
  /** A removed or listed object of the bucket. */
  object: 4 * 1024,
} as const;
