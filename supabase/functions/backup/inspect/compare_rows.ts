/** Compares the rows of a table in two states of a database: by key, or as whole rows where there is none. */
import xxhash from "xxhash-wasm";
import { lineBatches } from "../restore_plan/copy_text.ts";
import { picker, valuesOfLine } from "./fields.ts";
import { RowIndex } from "./row_index.ts";

/** A table's rows, which can be read more than once. */
export interface TableRows {
  columns: readonly string[];
  /** Reads COPY text. */
  read(): AsyncIterable<Uint8Array>;
}

export interface RowDifference {
  /** The columns by which rows were matched; null where whole rows were. */
  key: string[] | null;
  before: number;
  after: number;
  added: number;
  removed: number;
  changed: number;
  /** Some of them. */
  samples: RowChange[];
}

/** Values in the order of the columns of each side; null on the side that lacks the row. */
export interface RowChange {
  before: (string | null)[] | null;
  after: (string | null)[] | null;
}

/** Rows that are kept in memory at most: 17 bytes for each of two to four places. */
const MOST_ROWS = 4_000_000;

/** Thrown where a table has more rows than can be compared. */
export class TooManyRowsError extends Error {
  constructor() {
    super(`more than ${MOST_ROWS.toLocaleString("en-US")} rows`);
  }
}

const GONE = 0n;

/**
 * Compares columns that both sides have. `key` names columns; rows are matched as a whole without it, or where a key is
 * there twice. Returns at most `samples` rows of each kind. Throws TooManyRowsError.
 */
export async function compareRows(
  before: TableRows,
  after: TableRows,
  key: readonly string[] | null,
  samples: number,
): Promise<RowDifference> {
  const { h64Raw } = await xxhash();
  // 0 marks a row that was found on both sides.
  const hash = (bytes: Uint8Array) => h64Raw(bytes) || 1n;
  const shared = before.columns.filter((column) => after.columns.includes(column));
  const same = before.columns.length === after.columns.length &&
    before.columns.every((column, index) => column === after.columns[index]);
  const usable = key?.length && key.every((column) => shared.includes(column)) ? [...key] : null;
  const side = ({ columns, read }: TableRows) => {
    const row = same ? (line: Uint8Array) => line : picker(shared.map((column) => columns.indexOf(column)));
    const id = usable === null ? row : picker(usable.map((column) => columns.indexOf(column)));
    return { row, id, batches: () => lineBatches(read()) };
  };
  const [old, now] = [side(before), side(after)];
  const index = new RowIndex();
  const found: RowDifference = {
    key: usable,
    before: 0,
    after: 0,
    added: 0,
    removed: 0,
    changed: 0,
    samples: [],
  };
  for await (const lines of old.batches()) {
    for (const line of lines) {
      found.before++;
      const id = hash(old.id(line));
      const there = index.get(id);
      if (there !== null && usable !== null) return await compareRows(before, after, null, samples);
      // Equal rows are counted.
      index.set(id, usable === null ? (there ?? 0n) + 1n : hash(old.row(line)));
      if (index.size > MOST_ROWS) throw new TooManyRowsError();
    }
  }
  const changes = new Map<bigint, RowChange>();
  let sampledAdded = 0;
  for await (const lines of now.batches()) lines.forEach(compareLine);
  const missing = new Set<bigint>();
  for (const [id, left] of index.entries()) {
    if (left === GONE) continue;
    found.removed += usable === null ? Number(left) : 1;
    if (missing.size < samples) missing.add(id);
  }
  if (changes.size + missing.size > 0) await readBefore();
  found.samples.push(...changes.values());
  return found;

  function compareLine(line: Uint8Array): void {
    found.after++;
    const id = hash(now.id(line));
    const there = index.get(id) ?? GONE;
    if (there === GONE) {
      found.added++;
      if (++sampledAdded <= samples) {
        found.samples.push({ before: null, after: valuesOfLine(line, after.columns.length) });
      }
      return;
    }
    index.set(id, usable === null ? there - 1n : GONE);
    if (usable === null || there === hash(now.row(line))) return;
    if (++found.changed <= samples) {
      changes.set(id, { before: null, after: valuesOfLine(line, after.columns.length) });
    }
  }

  /** Reads the rows of the samples as they were. */
  async function readBefore(): Promise<void> {
    let wanted = changes.size + missing.size;
    for await (const lines of old.batches()) {
      for (const line of lines) {
        const id = hash(old.id(line));
        const change = changes.get(id);
        if (change !== undefined) change.before = valuesOfLine(line, before.columns.length);
        else if (missing.delete(id)) {
          found.samples.push({ before: valuesOfLine(line, before.columns.length), after: null });
        } else continue;
        if (--wanted === 0) return;
      }
    }
  }
}
