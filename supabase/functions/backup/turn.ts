/** The time in which a request has the isolate for itself. */
export class Turn implements Disposable {
  /** Share of an isolate's life that was spent before. */
  readonly before: number;
  #onEnd: ((spent: number) => void) | null;

  constructor(before: number, onEnd: (spent: number) => void) {
    this.before = before;
    this.#onEnd = onEnd;
  }

  /**
   * The work is over, or only waits: the next request may begin. `spent` is a share of an isolate's life; only the
   * first call counts.
   */
  end(spent: number): void {
    this.#onEnd?.(spent);
    this.#onEnd = null;
  }

  [Symbol.dispose](): void {
    this.end(0);
  }
}
