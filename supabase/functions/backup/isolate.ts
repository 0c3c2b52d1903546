/**
 * The isolate that this module is loaded into. It may get several requests, which share its CPU, memory and life: it works
 * on one at a time, and a later one has what the earlier ones left of the budget.
 */

/** Less than this share of a budget is not worth a turn. A platform that counts CPU over requests retires a worker at half of it. */
const LEAST_SHARE = 0.5;

/** How long work that is interrupted has to put its things down, and how often somebody looks whether it has. */
const PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 50;

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
  #interruption: AbortController | null = null;

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

  /** Null while an earlier request is at work. `interruption` is aborted when another request is more urgent. */
  begin(interruption: AbortController | null = null): Turn | null {
    if (this.#busy || this.stopping.aborted) return null;
    this.#busy = true;
    this.#interruption = interruption;
    let ended = false;
    return {
      share: Math.max(LEAST_SHARE, 1 - this.#spent),
      end: (share) => {
        if (ended) return;
        ended = true;
        this.#spent += share;
        this.#busy = false;
        this.#interruption = null;
      },
    };
  }

  /** Is the request at work one that can be interrupted? */
  get canInterrupt(): boolean {
    return this.#interruption !== null;
  }

  /** Interrupts what can be, and begins when it has ended; null when it does not end in time. */
  async interrupt(): Promise<Turn | null> {
    this.#interruption?.abort(new Error("the isolate is needed for a backup"));
    return await this.beginSoon(null);
  }

  /** Begins as soon as the request at work has ended; null when that takes long. */
  async beginSoon(interruption: AbortController | null): Promise<Turn | null> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let turn = this.begin(interruption);; turn = this.begin(interruption)) {
      if (turn !== null || this.stopping.aborted || Date.now() > deadline) return turn;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}
