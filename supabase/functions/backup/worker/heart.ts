/** A worker's signs of life, and how it learns that it must stop. */
import { BackupError } from "../errors.ts";
import type { RunVerbs } from "../run/verbs.ts";

/** Often enough for a progress bar; a fraction of any lease. */
const BEAT_MS = 2000;

export class Heart {
  readonly #verbs: RunVerbs;
  readonly #stopping: AbortSignal;
  readonly #leaseMs: number;
  readonly #beatMs: number;
  /** When the run last confirmed that this worker has its place. */
  #heardAt = Date.now();
  #progress: Record<string, unknown> | null = null;
  #failure: unknown = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to beat at least three times a lease. `stopping` tells that the isolate is about to be ended. */
  constructor(verbs: RunVerbs, leaseSeconds: number, stopping: AbortSignal) {
    this.#verbs = verbs;
    this.#stopping = stopping;
    this.#leaseMs = leaseSeconds * 1000;
    this.#beatMs = Math.min(BEAT_MS, this.#leaseMs / 3);
    this.#wait();
  }

  /** What the next beat tells of the work; null for nothing. */
  set progress(progress: Record<string, unknown> | null) {
    this.#progress = progress;
  }

  /** Says now that the run is in this phase. */
  async phase(phase: "finishing" | "verifying" | "rotating"): Promise<void> {
    this.check();
    this.#progress = { phase };
    await this.#beat();
    this.check();
  }

  /** Throws when the worker has lost its place, its control session, or its isolate's time. Cheap: call it often. */
  check(): void {
    const failure = this.failure;
    if (failure !== null) throw failure;
  }

  /**
   * The same, for what must not be done beside another worker: who was asleep for longer than its lease asks first whether it still
   * has its place.
   */
  async checkPlace(): Promise<void> {
    if (Date.now() - this.#heardAt >= this.#leaseMs) await this.#beat();
    this.check();
  }

  /** Why the work must stop, or null. What fails because of it, an upload cut off for one, says less. */
  get failure(): unknown {
    if (!this.#stopping.aborted) return this.#failure;
    return new BackupError(
      "worker_ended",
      `The platform ends this worker: ${this.#stopping.reason}`,
      "Another worker goes on; should it happen again and again, lower invocation_bytes with backup.configure().",
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(async () => {
      await this.#beat();
      if (this.#failure === null) this.#wait();
    }, this.#beatMs);
  }

  async #beat(): Promise<void> {
    const begin = Date.now();
    try {
      if (await this.#verbs.heartbeat(this.#progress)) {
        this.#heardAt = begin;
        return;
      }
      this.#failure = new BackupError(
        "lease_lost",
        "The run was cancelled, or goes on without this worker",
        "Nothing is to be done.",
      );
    } catch (error) {
      this.#failure = error;
    }
    this.stop();
  }
}
