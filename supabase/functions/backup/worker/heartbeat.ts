/** Shows the run that a worker is alive, and the worker when it must stop. */
import { BackupError } from "../errors.ts";
import type { RunClient } from "../run/run_client.ts";

/** Often enough for a progress bar; a fraction of any lease. */
const BEAT_MS = 2000;

export class Heartbeat implements Disposable {
  readonly #client: RunClient;
  readonly #stopping: AbortSignal;
  readonly #leaseMs: number;
  readonly #beatMs: number;
  readonly #lost = new AbortController();
  /** When the run last confirmed that this worker has its place. */
  #confirmedAt = Date.now();
  #progress: Record<string, unknown> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins to beat at least three times a lease. `stopping` is aborted when the platform is about to end the isolate.
   */
  constructor(client: RunClient, leaseSeconds: number, stopping: AbortSignal) {
    this.#client = client;
    this.#stopping = stopping;
    this.#leaseMs = leaseSeconds * 1000;
    this.#beatMs = Math.min(BEAT_MS, this.#leaseMs / 3);
    stopping.addEventListener("abort", this.#stop);
    if (stopping.aborted) this.#stop();
    else this.#schedule();
  }

  /**
   * Aborted when the worker has lost its place, its control session, or its isolate's time. The reason is the error;
   * errors that follow from it, such as that of an upload that is cut off, say less.
   */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** What the next beat reports of the work; null for nothing. */
  set progress(progress: Record<string, unknown> | null) {
    this.#progress = progress;
  }

  /** Reports this phase now. Throws as `check` does. */
  async phase(phase: "finishing" | "verifying" | "rotating"): Promise<void> {
    this.check();
    this.#progress = { phase };
    await this.#beat();
    this.check();
  }

  /** Throws the signal's reason when the work must stop. Cheap: call it often. */
  check(): void {
    this.signal.throwIfAborted();
  }

  /**
   * The same, for what two workers must not both do: a worker that was suspended for longer than its lease asks first.
   */
  async checkPlace(): Promise<void> {
    if (Date.now() - this.#confirmedAt >= this.#leaseMs) await this.#beat();
    this.check();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#stopping.removeEventListener("abort", this.#stop);
  }

  #stop = (): void => this.#lose(stoppedError(this.#stopping.reason, this.#progress));

  #lose(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#lost.abort(reason);
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      await this.#beat();
      if (!this.signal.aborted) this.#schedule();
    }, this.#beatMs);
  }

  async #beat(): Promise<void> {
    const begin = Date.now();
    try {
      if (await this.#client.heartbeat(this.#progress)) this.#confirmedAt = begin;
      else this.#lose(lostError());
    } catch (error) {
      this.#lose(error);
    }
  }
}

function lostError(): BackupError {
  return new BackupError(
    "lease_lost",
    "The run was cancelled, or goes on without this worker",
    "No action is needed.",
  );
}

function stoppedError(reason: unknown, progress: Record<string, unknown> | null): BackupError {
  const table = progress?.["table"];
  const at = table === undefined ? "" : ` while it read table ${table}`;
  return new BackupError(
    "worker_ended",
    `The platform ends this worker${at}: ${reason}`,
    "Another worker goes on. If it happens again and again, lower invocation_bytes with backup.configure().",
  );
}
