/** Compares the rows of a table in two states of a database: by key, or as whole rows where there is none. */
import { picker } from "./fields.ts";
import { LineCursor } from "./line_cursor.ts";
import { lineMatcher } from "./match_lines.ts";
import { type HashRow, rowHash } from "./row_hash.ts";
import { type Bits, RowIndex } from "./row_index.ts";
import { MOST_ROWS, RowJoin, TooManyRowsError } from "./row_join.ts";
import { type RowChange, RowSamples } from "./row_samples.ts";

/** A table's rows, which can be read more than once. */
export interface TableRows {
  columns: readonly string[];
  /** Columns whose values no two rows share: the database sees to that. Null where there are none. */
  key: readonly string[] | null;
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

/**
 * Compares columns that both sides have. Rows are matched by the key of `after`, or else that of `before`; as a whole
 * without one, or where it is there twice. Returns at most `samples` rows of each kind. Throws TooManyRowsError.
 */
export async function compareRows(
  before: TableRows,
  after: TableRows,
  samples: number,
): Promise<RowDifference> {
  const hash = await rowHash();
  const key = await keyOfBoth(before, after, hash);
  return await joined(before, after, key, samples, hash) ??
    (await joined(before, after, null, samples, hash))!;
}

/** Returns null for a key that is there twice. */
async function joined(
  before: TableRows,
  after: TableRows,
  key: string[] | null,
  most: number,
  hash: HashRow,
): Promise<RowDifference | null> {
  const samples = new RowSamples([before.columns.length, after.columns.length], most);
  const read = [() => before.read(), () => after.read()] as const;
  const join = new RowJoin(read, lineMatcher(before.columns, after.columns, key), hash, samples);
  if (!await join.run()) return null;
  const [one, two] = join.sides;
  return {
    key,
    before: one.rows,
    after: two.rows,
    added: two.alone,
    removed: one.alone,
    changed: join.changed,
    samples: await samples.collect([{ ...one, read: read[0] }, { ...two, read: read[1] }], hash),
  };
}

/** Returns the key by which rows of both sides can be matched. Throws TooManyRowsError. */
async function keyOfBoth(before: TableRows, after: TableRows, hash: HashRow): Promise<string[] | null> {
  const key = after.key ?? before.key;
  if (!key?.length) return null;
  for (const side of [before, after]) {
    if (!key.every((column) => side.columns.includes(column))) return null;
    if (side.key?.join("\0") !== key.join("\0") && !await isUnique(side, key, hash)) return null;
  }
  return [...key];
}

/** Returns whether no two rows share the values of columns that are a key only on the other side. */
async function isUnique(
  { columns, read }: TableRows,
  key: readonly string[],
  hash: HashRow,
): Promise<boolean> {
  const pick = picker(key.map((column) => columns.indexOf(column)));
  const seen = new RowIndex();
  const id: Bits = { low: 0, high: 0 };
  const cursor = new LineCursor(read());
  try {
    for (; cursor.isAtLine() || await cursor.load(); cursor.advance()) {
      hash(pick(cursor.line()), id);
      if (seen.find(id) >= 0) return false;
      seen.add(id, id, 1);
      if (seen.size > MOST_ROWS) throw new TooManyRowsError();
    }
    return true;
  } finally {
    await cursor.close();
  }
}
