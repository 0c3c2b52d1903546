/** What an invocation may still do: CPU by its budget, time, and whether it is needed elsewhere. */
import { type Budget, COST } from "../budget.ts";

/** No further rows are begun after this time: the platform ends an invocation after 150 seconds. */
const LONGEST_MS = 75_000;

/** Of these 75 seconds' rest one statement may take so long: an index, a foreign key, a materialized view. */
const STATEMENT_MS = 50_000;

export class Share {
  readonly stopping: AbortSignal;
  readonly #budget: Budget;
  readonly #deadline = Date.now() + LONGEST_MS;

  constructor(budget: Budget, stopping: AbortSignal) {
    this.#budget = budget;
    this.stopping = stopping;
  }

  /** Set when something was recorded: each invocation comes further, however small its share. */
  worked = false;

  /** True when the next invocation has to go on. */
  get isUsed(): boolean {
    return this.stopping.aborted || (this.worked && this.isSpent);
  }

  /** True when no more rows should be read. */
  get isSpent(): boolean {
    return this.#budget.left === 0 || Date.now() > this.#deadline || this.stopping.aborted;
  }

  /** Most of the isolate's life is left. */
  get hasMost(): boolean {
    return !this.isUsed && this.#budget.lifeShare < 0.5;
  }

  /** Milliseconds that a statement may take, as a setting. */
  readonly statementTimeout = String(STATEMENT_MS);

  #busyMs = 0;

  /** Runs what keeps the processor busy: inflating, hashing. */
  readonly time = <T>(run: () => T): T => {
    const begin = performance.now();
    const result = run();
    this.#busyMs += performance.now() - begin;
    return result;
  };

  /** COPY text that was inflated and sent. */
  spendText(bytes: number): void {
    this.#budget.spend(bytes * COST.restoredByte);
    this.#budget.spendTime(this.#busyMs);
    this.#busyMs = 0;
  }

  /** A table of a drill, however few rows it has: statements, and the record. */
  spendTable(): void {
    this.#budget.spend(COST.restoredTable);
  }

  /** Entries of the table of contents that were read or executed. */
  spendEntries(count: number): void {
    this.#budget.spend(count * COST.entry);
  }
}
