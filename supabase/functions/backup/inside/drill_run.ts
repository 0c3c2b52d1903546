/** A drill at work: what is known of it, and where it stands. */
import type { Check } from "../compare/check.ts";
import type { Entry } from "../entry.ts";
import type { StoredArchive } from "../manifest/stored_archive.ts";
import type { Session } from "../postgres/session.ts";
import type { Connection } from "../restore/connection.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import type { RestoreTask, RowsDone } from "./inside_client.ts";
import type { Work } from "./work.ts";

/** Kept in the main database from one invocation to the next. */
export interface DrillState {
  /** Most bytes of the scratch database: as asked for, and from the beginning on as there is room. */
  bytes?: number;
  phase?: "definitions" | "tables" | "rest" | "compare";
  /** Entries of the plan, which is made anew in each invocation and has to be the same. */
  planned?: number;
  /** Place in the phase's list of entries. */
  index: number;
  /** Rows of the table at work. */
  done: RowsDone | null;
  /** Rows that are in it: fewer than `done` says where it was emptied on the way. */
  there: number;
  /** COPY text that its rows have had so far. */
  text: number;
  /** Its rows come back in another order, so they are compared one by one. */
  byRow: boolean;
  /** Tables whose rows were taken out again. */
  emptied: string[];
  /** Dump ids of entries that were refused, and are tried again at the end. */
  again: number[];
  /** Tables whose rows were as in the backup. */
  passed: number;
  /** What else was found. */
  checks: Check[];
}

export interface Drill {
  work: Work;
  task: RestoreTask;
  state: DrillState;
  archive: StoredArchive;
  plan: Plan;
  target: TargetFacts;
  scratch: Session;
  connection: Connection;
  lists: Lists;
  /** By how much the scratch database may have grown since its size was looked at. */
  grown: number;
  /** Rows of the table at work may be those of an invocation that died: it is the first one here. */
  unsure: boolean;
  /** Records the state. Throws BackupError `cancelled`. */
  record(progress: string): Promise<void>;
}

export interface Lists {
  definitions: Entry[];
  tables: Entry[];
  /** Constraints and indexes, by the dump id of the one table that they need. */
  indexes: Map<number, Entry[]>;
  rest: Entry[];
}
