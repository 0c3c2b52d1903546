/** What a worker has in hand while it works on a run. */
import type { Budget } from "../budget.ts";
import type { Session } from "../postgres/session.ts";
import type { Place, RunClient } from "../run/run_client.ts";
import type { ProjectBucket } from "../storage/bucket.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { PartStore } from "./part_store.ts";
import type { Succession } from "./succession.ts";

export interface Worker {
  /** In the snapshot's transaction; may be busy in a COPY for long. */
  exporter: Session;
  /** Not in the snapshot. */
  control: Session;
  client: RunClient;
  place: Place;
  store: PartStore;
  /** Any bucket of the project. */
  openBucket(name: string): ProjectBucket;
  heartbeat: Heartbeat;
  budget: Budget;
  succession: Succession;
}
