/**
 * The run's state in the database: one method for each worker verb of the schema `backup` (docs/design.md). Every call
 * is a statement of its own on the control session; the client keeps only the ids of run and worker.
 * One file because the verbs share these ids and the shapes that they pass to each other.
 */
import { BackupError } from "../errors.ts";
import type { Inventory } from "../manifest/inventory.ts";
import type { Session } from "../postgres/session.ts";
import type { SliceResult } from "../slices/export.ts";
import type { Piece, PieceResult } from "../slices/piece.ts";
import type { PlannedPiece, Slice } from "../slices/plan.ts";
import type { ExtensionVersion, Warning } from "../entry.ts";

/** Header of the one-time tokens that the database issues. */
export const TOKEN_HEADER = "x-backup-token";

/** SQLSTATE of a verb that a worker without a place must not use. */
const LOST_PLACE = "BK001";

export type Role = "plan" | "export" | "finish" | "none";

/** Settings of an attempt: the columns of `backup.settings`. */
export interface Settings {
  bucket: string;
  slice_bytes: number;
  invocation_bytes: number;
  part_bytes: number;
  level: number;
  lease_seconds: number;
  lock_timeout_ms: number;
  keep_scheduled: number;
  keep_manual: number;
  keep_weekly: number;
  keep_monthly: number;
  keep_yearly: number;
  /** Public keys that the parts are encrypted to, divided by commas; none where they are stored as they are. */
  recipient?: string | null;
  /** `schema.table` of tables whose rows are not backed up. */
  leave_out?: string[];
}

export interface Place {
  role: Role;
  run: {
    id: number;
    name: string;
    attempt: number;
    trigger: "scheduled" | "manual";
    started_at: string;
  };
  /** Snapshots that can be imported, newest first. */
  snapshots: string[];
  settings: Settings;
}

export interface StoredPart {
  name: string;
  bytes: number;
  sha256: string;
}

/** What the planner knows and the finisher writes into the manifest. */
export interface Facts {
  database: string;
  server_version: string;
  snapshot_at: string;
  entries: number;
  /** Parts of header and table of contents: the first ones. */
  head_parts: number;
  tables: { dumpId: number; schema: string; name: string; extension?: string }[];
  /** Roles that the archive names and does not hold. */
  roles: string[];
  extensions?: ExtensionVersion[];
  /** Of Storage's files, where there is Storage. */
  inventory?: Inventory;
}

export interface Plan {
  snapshot: string;
  server_version: string;
  tables: number;
  estimated_bytes: number;
  warnings: Warning[];
  parts: StoredPart[];
  slices: {
    number: number;
    first_part: number;
    estimated_bytes: number;
    pieces: PlannedPiece[];
  }[];
  facts: Facts;
}

export type ClaimedSlice = Pick<Slice, "number" | "firstPart" | "estimatedBytes" | "pieces">;

export interface LoggedRun {
  /** Not in the log that the finisher gets. */
  id?: number;
  name: string;
  trigger: "scheduled" | "manual";
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  started_at: string;
  verified_at: string | null;
  pinned: boolean;
}

/** A slice's result as the database keeps it. */
export interface StoredResult {
  rows: number;
  raw_bytes: number;
  stored_bytes: number;
  pieces: PieceResult[];
}

/** Everything the finisher needs. */
export interface Finish {
  slices: {
    number: number;
    first_part: number;
    pieces: Piece[];
    result: StoredResult;
  }[];
  parts: (StoredPart & {
    slice_number: number | null;
    verified_at: string | null;
  })[];
  facts: Facts;
  run: {
    id: number;
    name: string;
    trigger: "scheduled" | "manual";
    attempt: number;
    warnings: Warning[];
  };
  settings: Settings;
  log: LoggedRun[];
}

export interface Ending {
  rows: number;
  raw_bytes: number;
  stored_bytes: number;
  parts: number;
  checksum: string;
  warnings: Warning[];
}

/** What a worker calls its successor with. */
export interface SuccessorCall {
  /** Address of the function. */
  url: string;
  /** Valid once. */
  token: string;
}

/** Why a worker or a run gives up. */
export interface Reason {
  code: string;
  message: string;
  hint?: string;
}

/** What an unused, unexpired token is valid for. */
export interface Redeemed {
  purpose: "run" | "copy" | "alert" | "restore";
  /** The run; null for other purposes. */
  runId: number | null;
}

/** Uses a token up and returns what it is valid for; null for any other text. */
export async function redeemToken(control: Session, token: string): Promise<Redeemed | null> {
  const [row] = await control.sql<{ purpose: Redeemed["purpose"] | null; run_id: string | null }[]>`
    select purpose, run_id from backup._redeem(${token})`;
  if (row?.purpose == null) return null;
  return { purpose: row.purpose, runId: row.run_id === null ? null : Number(row.run_id) };
}

/** Whether a token was used up before and has not expired: something on the way delivered its call twice. */
export async function isRedeemed(control: Session, token: string): Promise<boolean> {
  const [row] = await control.sql<{ before: boolean }[]>`select backup._is_redeemed(${token}) as before`;
  return row!.before;
}

/** What a worker found out about the platform, for `backup.health` to tell. */
export interface PlatformFacts {
  /** Whether the connection to the database is encrypted. */
  encrypted: boolean;
  /** Why fetch uploads instead of our own client; null while that does. */
  uploads: string | null;
  /** CPU that the isolate has used so far, as estimated. */
  cpu_ms: number;
  /** What of it this worker has used. */
  own_cpu_ms: number;
}

/** A worker's client of its run. Every method throws BackupError `lease_lost` when the worker has lost its place. */
export class RunClient {
  readonly #control: Session;
  readonly #run: number;
  readonly #worker: string;

  constructor(control: Session, runId: number, worker: string) {
    this.#control = control;
    this.#run = runId;
    this.#worker = worker;
  }

  enter(backendPid: number): Promise<Place> {
    return this.#call("_register", "$3::int", [backendPid]);
  }

  async plan(plan: Plan): Promise<void> {
    await this.#call("_store_plan", "$3::pg_catalog.text::pg_catalog.jsonb", [JSON.stringify(plan)]);
  }

  /**
   * Returns the quoted names of the tables with rows still to be read, which a worker that joins the snapshot locks.
   */
  async locked(): Promise<string[]> {
    const [row] = await this.#control.sql<{ locked: string[] }[]>`
      select pg_catalog.to_jsonb(backup._tables_to_lock(${this.#run})) as locked`;
    return row!.locked;
  }

  async hold(snapshot: string): Promise<void> {
    await this.#call("_publish_snapshot", "$3", [snapshot]);
  }

  /** Returns the next slice whose estimate is within `bytes` (any size when null); null when there is none. */
  async claimSlice(bytes: number | null): Promise<ClaimedSlice | null> {
    const slice = await this.#call<
      {
        number: number;
        first_part: number;
        estimated_bytes: number;
        pieces: PlannedPiece[];
      } | null
    >("_claim_slice", "$3::bigint", [bytes]);
    return slice && {
      number: slice.number,
      firstPart: slice.first_part,
      estimatedBytes: slice.estimated_bytes,
      pieces: slice.pieces,
    };
  }

  /** Returns false when the worker must stop at once. */
  heartbeat(progress: Record<string, unknown> | null): Promise<boolean> {
    return this.#call("_heartbeat", "$3::pg_catalog.text::pg_catalog.jsonb", [
      progress && JSON.stringify(progress),
    ]);
  }

  async part(slice: number | null, { name, bytes, sha256 }: StoredPart): Promise<void> {
    await this.#call("_record_part", "$3::int, $4, $5::bigint, $6", [slice, name, bytes, sha256]);
  }

  /** Returns 32 bytes that only the workers of the attempt get. */
  async partSecret(): Promise<Uint8Array> {
    const secret = await this.#call<string>("_part_secret", "", []);
    return Uint8Array.from(secret.match(/../g)!, (byte) => parseInt(byte, 16));
  }

  /** Returns false when another worker has got the slice. */
  finishSlice(slice: number, { rows, rawBytes, storedBytes, pieces }: SliceResult): Promise<boolean> {
    const result = { rows, raw_bytes: rawBytes, stored_bytes: storedBytes, pieces };
    return this.#call("_finish_slice", "$3::int, $4::pg_catalog.text::pg_catalog.jsonb", [
      slice,
      JSON.stringify(result),
    ]);
  }

  /** Returns true when the worker may leave now, false when it must hold the snapshot and ask again in a moment. */
  leave(error: Reason | null): Promise<boolean> {
    return this.#call("_release", "$3::pg_catalog.text::pg_catalog.jsonb", [error && JSON.stringify(error)]);
  }

  /**
   * Asks for a successor, which works beside this worker from then on. Returns what it is called with; null when pg_net
   * calls it or none is needed.
   */
  async retire(): Promise<SuccessorCall | null> {
    const { url, token } = await this.#call<{ url: string | null; token: string | null }>("_retire", "", []);
    return url === null || token === null ? null : { url, token };
  }

  /** Has pg_net call the successor instead. With a reason, the run's other workers do not try to. */
  async giveCallBack(token: string, reason: string | null): Promise<void> {
    await this.#call("_give_call_back", "$3, $4", [token, reason]);
  }

  async reportFacts(facts: PlatformFacts): Promise<void> {
    await this.#call("_report_facts", "$3::pg_catalog.text::pg_catalog.jsonb", [JSON.stringify(facts)]);
  }

  claimFinish(): Promise<Finish | null> {
    return this.#call("_claim_finish", "", []);
  }

  async verified(name: string): Promise<void> {
    await this.#call("_mark_part_verified", "$3", [name]);
  }

  /** Records the rows of each table, for `backup.health` to compare. */
  async tables(tables: { schema: string; name: string; rows: number; rawBytes: number }[]): Promise<void> {
    await this.#call("_record_table_counts", "$3::pg_catalog.text::pg_catalog.jsonb", [
      JSON.stringify(tables),
    ]);
  }

  async succeed(ending: Ending): Promise<void> {
    await this.#call("_succeed", "$3::pg_catalog.text::pg_catalog.jsonb", [JSON.stringify(ending)]);
  }

  /** Returns true when another attempt begins, false when the run has failed. */
  fail(error: Reason, retry: boolean): Promise<boolean> {
    return this.#call("_fail", "$3::pg_catalog.text::pg_catalog.jsonb, $4::boolean", [
      JSON.stringify(error),
      retry,
    ]);
  }

  async removed(name: string): Promise<void> {
    await this.#control.sql`select backup._mark_removed(${name})`;
  }

  async #call<Answer>(verb: string, parameters: string, values: unknown[]): Promise<Answer> {
    const all = ["$1::bigint", "$2::pg_catalog.uuid", ...(parameters === "" ? [] : [parameters])].join(", ");
    try {
      const [row] = await this.#control.sql.unsafe<{ answer: Answer }[]>(
        `select pg_catalog.to_jsonb(backup.${verb}(${all})) as answer`,
        [this.#run, this.#worker, ...values] as never[],
      );
      return row!.answer;
    } catch (error) {
      if ((error as { code?: string }).code !== LOST_PLACE) throw error;
      throw new BackupError(
        "lease_lost",
        (error as Error).message,
        "The run goes on without this worker.",
        error,
      );
    }
  }
}
