/**
 * The isolate that this module is loaded into. It may get several requests, which share its CPU, memory and life: it
 * works on one at a time, and a later one has what the earlier ones left of its life.
 */
import { ENTERING, EVALUATION, RETIRED } from "./budget.ts";
import { Turn } from "./turn.ts";

/**
 * An isolate that goes on after it has spent so many lives is on a platform that counts each request's CPU by itself
 * (the policy `per_request`): each has a life of its own then.
 */
const SURVIVED = 2.5;

/** How long interrupted work may take to stop, and how often that is checked. */
const PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 50;

export class Isolate {
  #stopping = new AbortController();
  #spent = EVALUATION;
  #busy = false;
  #interruption: AbortController | null = null;

  /** Aborted, with the reason, when the platform is about to end the isolate. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Listens for `beforeunload`, the platform's warning shortly before a limit is reached. */
  listen(target: EventTarget): void {
    target.addEventListener("beforeunload", (event) => {
      const reason = (event as CustomEvent<{ reason?: string }>).detail?.reason;
      this.#stopping.abort(reason ?? "beforeunload");
    });
  }

  /**
   * Begins a turn; returns null while an earlier request is at work. `interruption` is aborted when another request is
   * more urgent.
   */
  begin(interruption: AbortController | null = null): Turn | null {
    if (this.#busy || !this.#goesOn()) return null;
    this.#busy = true;
    this.#interruption = interruption;
    // The platform would not have sent this request to an isolate that it has retired, so less is spent than it seemed.
    const before = this.#spent > SURVIVED ? EVALUATION : Math.min(this.#spent, RETIRED);
    return new Turn(before + ENTERING, (spent) => {
      this.#spent += ENTERING + spent;
      this.#busy = false;
      this.#interruption = null;
    });
  }

  /**
   * Whether the isolate takes another request. Under the policy `per_request` it does so after the platform has warned
   * of its CPU, because that begins anew with each request; after any other warning it is about to end.
   */
  #goesOn(): boolean {
    if (!this.stopping.aborted) return true;
    if (this.stopping.reason !== "cpu") return false;
    this.#stopping = new AbortController();
    return true;
  }

  /** Whether the request at work can be interrupted. */
  get canInterrupt(): boolean {
    return this.#interruption !== null;
  }

  /** Interrupts the request at work and begins when it has ended; returns null when it does not end in time. */
  async interrupt(): Promise<Turn | null> {
    this.#interruption?.abort(new Error("the isolate is needed for a backup"));
    return await this.beginSoon(null);
  }

  /** Begins as soon as the request at work has ended; returns null when that takes too long. */
  async beginSoon(interruption: AbortController | null): Promise<Turn | null> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let turn = this.begin(interruption);; turn = this.begin(interruption)) {
      if (turn !== null || this.stopping.aborted || Date.now() > deadline) return turn;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}
