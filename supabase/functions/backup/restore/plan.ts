/** What a restore is asked for. */
import type { Entry } from "../entry.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Session } from "../postgres/session.ts";

/** SQL of the plan's own. */
export interface Step {
  what: string;
  sql: string;
}

export interface RestorePlan {
  /** In the order of the archive, changed for the target where that is needed. */
  entries: readonly Entry[];
  /** Rows and sequences of extensions' tables, which go where the target has these tables. */
  extensionRows?: readonly Entry[];
  /** They must succeed. */
  before?: readonly Step[];
  /** One that fails is an exception of the restore. */
  after?: readonly Step[];
}

export interface RestoreOptions {
  /** Connections at a time; with more than one the restore is not one transaction. */
  jobs?: number;
  /** Drops first what the plan creates. */
  clean?: boolean;
  /** Owners and grants as in the archive; true without it. */
  owners?: boolean;
  /** What the server refuses for good ends it: nothing comes back otherwise, and nothing stays out. */
  strict?: boolean;
  /** Rows come in without triggers and foreign keys of the tables, which takes a superuser. */
  disableTriggers?: boolean;
  /** Milliseconds that a statement may take; no limit without it. */
  statementTimeoutMs?: number;
  /** Milliseconds that a materialized view may take. */
  refreshTimeoutMs?: number;
  /** Keeps rows that the server does not take; returns where. Without it they are only counted. */
  keepAside?: (table: string, lines: Uint8Array[]) => Promise<string>;
  /**
   * Called when something is in the target for good: the definitions, or everything but what materialized views show.
   */
  onCommit?: (state: "begun" | "complete") => void;
  /** Called with each entry that is begun. */
  onEntry?: (entry: string) => void;
}

export interface RestoreInput {
  archive: OpenArchive;
  plan: RestorePlan;
  /** Opens a session of the target; it is closed in the end. */
  open: () => Promise<Session>;
  options?: RestoreOptions;
}
