/** Calls a worker's successor when the platform gives the worker's isolate no further calls. */
import type { Budget } from "../budget.ts";
import { type RunClient, type SuccessorCall, TOKEN_HEADER } from "../run/run_client.ts";
import { USER_AGENT } from "../version.ts";

/** How long a call may go on meeting busy isolates, and how often it is sent. */
const PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 150;
/** How soon a worker asks again for a successor: none is needed beside the last slice, and one to finish the run. */
const ASK_AGAIN_MS = 500;

/**
 * Earlier, the successor's call would only meet this isolate, which is at work. Later, nobody would work while the call
 * is on its way: so long this worker goes on with what is left of its isolate's life.
 */
export class Succession {
  readonly #client: RunClient;
  readonly #budget: Budget;
  readonly #stopping: AbortSignal;
  readonly #over = new AbortController();
  #calling: Promise<void> | null = null;
  #askAt = 0;
  /** Ends a pause between two calls. */
  #wake = () => {};

  /** `stopping` is aborted when the platform is about to end the isolate: pg_net calls the successor then. */
  constructor(client: RunClient, budget: Budget, stopping: AbortSignal) {
    this.#client = client;
    this.#budget = budget;
    this.#stopping = stopping;
  }

  /** Cheap: call it often. The bytes and the time are of an export that is not yet counted in the budget. */
  check(bytes = 0, busyMs = 0): void {
    if (this.#calling !== null || Date.now() < this.#askAt || !this.#budget.isRetired(bytes, busyMs)) return;
    this.#askAt = Date.now() + ASK_AGAIN_MS;
    // What fails here leaves the call to the database, which waits 20 seconds for it.
    this.#calling = this.#call().catch(() => {});
  }

  /** This worker only waits from now on: its isolate may take the call that it has refused so far. */
  waits(): void {
    this.#wake();
  }

  /** The run is over: there is nothing to succeed in. */
  end(): void {
    this.#over.abort();
  }

  /** Resolves when the successor has begun, or its call is given back to the database. */
  async settled(): Promise<void> {
    await this.#calling;
  }

  async #call(): Promise<void> {
    const call = await this.#client.retire();
    if (call === null) {
      this.#calling = null;
      return;
    }
    const outcome = await this.#send(call);
    if (outcome === "accepted" || this.#over.signal.aborted) return;
    const isPlatforms = outcome !== "busy" && !this.#stopping.aborted;
    await this.#client.giveCallBack(call.token, isPlatforms ? outcome : null);
  }

  /**
   * Sends a call until an isolate takes it, as this one does when the platform has not retired it yet and its worker
   * waits. Returns `accepted`, `busy`, or another reason.
   */
  async #send({ url, token }: SuccessorCall): Promise<string> {
    const signal = AbortSignal.any([this.#stopping, this.#over.signal, AbortSignal.timeout(2 * PATIENCE_MS)]);
    // A token goes nowhere but to the function.
    const redirect = "manual";
    const headers = { "content-type": "application/json", "user-agent": USER_AGENT, [TOKEN_HEADER]: token };
    try {
      for (const deadline = Date.now() + PATIENCE_MS;;) {
        const response = await fetch(url, { method: "POST", headers, body: "{}", redirect, signal });
        const text = await response.text();
        if (response.ok) return "accepted";
        if (response.status !== 429) return `${response.status} ${text}`;
        if (Date.now() > deadline) return "busy";
        await this.#pause();
      }
    } catch (error) {
      return String(error);
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, LOOK_AGAIN_MS);
    await promise;
    clearTimeout(timer);
  }
}
