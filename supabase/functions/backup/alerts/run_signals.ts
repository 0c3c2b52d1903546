/** A worker's pings about its run. They never throw, never wait for an answer while the snapshot is held, and take seconds at most. */
import type { Session } from "../postgres/session.ts";
import type { Place } from "../run/verbs.ts";
import { type Environment, readChannels } from "./channels.ts";
import { reportChannels } from "./log.ts";
import { ping, type Signal } from "./ping.ts";

export class RunSignals {
  readonly #environment: Environment;
  readonly #log: (message: string, facts?: Record<string, unknown>) => void;
  readonly #pings: Promise<void>[] = [];

  constructor(environment: Environment, log: (message: string, facts?: Record<string, unknown>) => void) {
    this.#environment = environment;
    this.#log = log;
  }

  /** The worker has its place. The first one of a run says that it begins, and which channels for alerts there are. */
  async began(control: Session, { role, run }: Place): Promise<void> {
    if (role !== "plan" || run.attempt > 1) return;
    this.#send("start", `${run.name} (${run.trigger}) begins`);
    await reportChannels(control, readChannels(this.#environment))
      .catch((error) => this.#log("the channels for alerts were not reported", { error: String(error) }));
  }

  /** The worker has done its work. That a run succeeded, its finisher says; that it failed, whoever saw it to its end. */
  async ended(control: Session, { role, run }: Place, worker: string): Promise<void> {
    if (role === "none") return;
    try {
      const [end] = await control.sql<{ status: string; message: string | null; finisher: boolean }[]>`
        select l.status, l.error_message as message,
          exists (select from backup.workers w where w.id = ${worker} and w.role = 'finish') as finisher
        from backup.log l where l.id = ${run.id}`;
      if (end?.status === "failed") this.#send("fail", `${run.name}: ${end.message}`);
      if (end?.status === "succeeded" && end.finisher) {
        this.#send("success", `${run.name} succeeded, verified`);
      }
    } catch (error) {
      this.#log("the end of the run was not signalled", { error: String(error) });
    }
  }

  /** Resolves when all pings are sent or given up. */
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
