/**
 * Sends a worker's pings about its run. They never throw, never make the snapshot wait for an answer, and take seconds
 * at most.
 */
import type { Session } from "../postgres/session.ts";
import type { Place } from "../run/run_client.ts";
import { type Environment, readChannels } from "./channels.ts";
import { reportChannels } from "./alert_queue.ts";
import { ping, type Signal } from "./ping.ts";

export class RunSignals {
  readonly #environment: Environment;
  readonly #log: (message: string, facts?: Record<string, unknown>) => void;
  readonly #pings: Promise<void>[] = [];

  constructor(environment: Environment, log: (message: string, facts?: Record<string, unknown>) => void) {
    this.#environment = environment;
    this.#log = log;
  }

  /**
   * Call when the worker has its place. The first worker of a run signals its beginning, and reports the channels for
   * alerts.
   */
  async began(control: Session, { role, run }: Place): Promise<void> {
    if (role !== "plan" || run.attempt > 1) return;
    this.#send("start", `${run.name} (${run.trigger}) begins`);
    await reportChannels(control, readChannels(this.#environment))
      .catch((error) => this.#log("the channels for alerts were not reported", { error: String(error) }));
  }

  /**
   * Call when the worker has done its work. The finisher signals success; the worker that saw the run fail signals
   * failure.
   */
  async ended(control: Session, { role, run }: Place, worker: string): Promise<void> {
    if (role === "none") return;
    try {
      const [end] = await control.sql<{ status: string; message: string | null; finisher: boolean }[]>`
        select l.status, l.error_message as message,
          exists (
            select from backup.workers w
            where w.id operator(pg_catalog.=) ${worker} and w.role operator(pg_catalog.=) 'finish'
          ) as finisher
        from backup.log l where l.id operator(pg_catalog.=) ${run.id}`;
      if (end?.status === "failed") this.#send("fail", `${run.name}: ${end.message}`);
      if (end?.status === "succeeded" && end.finisher) {
        this.#send("success", `${run.name} succeeded, verified`);
      }
    } catch (error) {
      this.#log("the end of the run was not signalled", { error: String(error) });
    }
  }

  /** Resolves when all pings are sent or have failed. */
  async sent(): Promise<void> {
    await Promise.all(this.#pings);
  }

  #send(signal: Signal, text: string): void {
    this.#pings.push(
      ping(this.#environment, signal, text).then((attempt) => {
        if (attempt?.outcome === "failed") this.#log(`ping ${signal} failed`, { error: attempt.error });
      }),
    );
  }
}
