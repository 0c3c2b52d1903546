/**
 * The isolate that this module is loaded into. It may get several requests, which share its CPU, memory and life: it works
 * on one at a time, and a later one has what the earlier ones left of the budget.
 */

/** Less than this share of a budget is not worth a turn. A platform that counts CPU over requests retires a worker at half of it. */
const LEAST_SHARE = 0.5;

export interface Turn {
  /** Share of a budget that this request may spend. */
  share: number;
  /** The work is over, or only waits: the next request may begin. `share` is what was spent. */
  end(share: number): void;
}

export class Isolate {
  readonly #stopping = new AbortController();
  #spent = 0;
  #busy = false;

  /** Aborted, with the reason, when the platform is about to end the isolate. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Hears `beforeunload`, the platform's warning shortly before a limit is reached. */
  listen(target: EventTarget): void {
    target.addEventListener("beforeunload", (event) => {
      const reason = (event as CustomEvent<{ reason?: string }>).detail?.reason;
      this.#stopping.abort(reason ?? "beforeunload");
    });
  }

  /** Null while an earlier request is at work. */
  begin(): Turn | null {
    if (this.#busy || this.stopping.aborted) return null;
    this.#busy = true;
    let ended = false;
    return {
      share: Math.max(LEAST_SHARE, 1 - this.#spent),
      end: (share) => {
        if (ended) return;
        ended = true;
        this.#spent += share;
        this.#busy = false;
      },
    };
  }
}
