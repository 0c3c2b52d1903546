/** What became of everything in the archive: typed, for a person and for programs. */
import type { Entry } from "../entry.ts";
import { labelOf } from "./names.ts";

/** An entry that came back otherwise than the backup has it. */
export interface Change {
  entry: string;
  how: string;
  /** The server's words. */
  why: string;
  /** A query that shows what is in the way. */
  find?: string;
  /** Statements that make it what it was, once that is mended. */
  mend?: string[];
}

export interface LeftOut {
  entry: string;
  why: string;
  /** The entry that it needs and that is not there either. */
  because?: string;
  find?: string;
  mend?: string[];
}

/** Rows that the server did not take. */
export interface RowsAside {
  table: string;
  rows: number;
  /** The server's words about the first of them. */
  why: string;
  /** The file that they lie in; null where nobody named a folder for it. */
  file: string | null;
}

export interface Account {
  /** `failed`: nothing was changed. */
  outcome: "restored" | "restored_with_exceptions";
  asInBackup: number;
  changed: Change[];
  leftOut: LeftOut[];
  rows: number;
  aside: RowsAside[];
  /** Worth knowing, and no exception. */
  notes: string[];
}

export function emptyAccount(): Account {
  return {
    outcome: "restored",
    asInBackup: 0,
    changed: [],
    leftOut: [],
    rows: 0,
    aside: [],
    notes: [],
  };
}

/**
 * Returns 0 when all came back as it was, else 3; a restore that fails throws, which is 1.
 * @public
 */
export function exitCode({ outcome }: Account): 0 | 3 {
  return outcome === "restored" ? 0 : 3;
}

/** Settles the outcome. */
export function closed(account: Account): Account {
  const { changed, leftOut, aside } = account;
  const exceptions = changed.length + leftOut.length + aside.length;
  return { ...account, outcome: exceptions === 0 ? "restored" : "restored_with_exceptions" };
}

export function changeOf(entry: Entry, change: Omit<Change, "entry">): Change {
  return { entry: labelOf(entry), ...change };
}
