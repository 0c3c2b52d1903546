/** Calls a worker's successor when the platform gives the worker's isolate no further calls. */
import type { Budget } from "../budget.ts";
import type { RunClient } from "../run/run_client.ts";

/**
 * Earlier, the successor's call could meet this isolate, which is at work. Later, nobody would work while the call is
 * on its way: so long this worker goes on with what is left of its isolate's life.
 */
export class Succession {
  readonly #client: RunClient;
  readonly #budget: Budget;
  #called = false;

  constructor(client: RunClient, budget: Budget) {
    this.#client = client;
    this.#budget = budget;
  }

  /** Cheap: call it often. The bytes and the time are of an export that is not yet counted in the budget. */
  check(bytes = 0, busyMs = 0): void {
    if (this.#called || !this.#budget.isRetired(bytes, busyMs)) return;
    this.#called = true;
    // What fails here fails again at the next heartbeat.
    this.#client.retire().catch(() => {});
  }
}
