/**
 * Goes through the rows of two tables side by side. As long as both have them in the same order, their text is compared
 * as it lies there. Rows that the other side has elsewhere, or not at all, wait for their other half as hashes.
 */
import { LineCursor } from "./line_cursor.ts";
import type { LineMatcher, Pick } from "./match_lines.ts";
import type { HashRow } from "./row_hash.ts";
import type { Bits } from "./row_index.ts";
import { Unmatched } from "./unmatched.ts";

/** Rows that wait at most, of both sides together: 20 bytes for each of two to three places. */
export const MOST_ROWS = 4_000_000;

/** Thrown where more rows wait than can be kept. */
export class TooManyRowsError extends Error {
  constructor() {
    super(`more than ${MOST_ROWS.toLocaleString("en-US")} rows are new, gone or in another order`);
  }
}

/** What is found of single rows. `side` is 0 before and 1 after. */
export interface Found {
  /** Whether another change is of use: cutting lines costs as much as comparing them. */
  wantsChanges(): boolean;
  /** Whether another row of this side alone is. */
  wantsAlone(side: 0 | 1): boolean;
  /** A row that only this side has. */
  onAlone(side: 0 | 1, line: Uint8Array): void;
  /** Two versions of a row; null where the text of the other side is not at hand. */
  onChanged(side: 0 | 1, id: Bits, line: Uint8Array, other: Uint8Array | null): void;
}

interface Side {
  readonly number: 0 | 1;
  readonly cursor: LineCursor;
  readonly unmatched: Unmatched;
  readonly pickId: Pick;
  readonly pickRow: Pick;
  /** Of the line at hand, where it is known. */
  readonly id: Bits;
  hasId: boolean;
  rows: number;
  alone: number;
}

export class RowJoin {
  readonly sides: readonly [Side, Side];
  changed = 0;
  readonly #match: LineMatcher["match"];
  readonly #hash: HashRow;
  readonly #isKeyed: boolean;
  readonly #found: Found;
  readonly #row: Bits = { low: 0, high: 0 };

  constructor(
    read: readonly [() => AsyncIterable<Uint8Array>, () => AsyncIterable<Uint8Array>],
    { match, id, row, isKeyed }: LineMatcher,
    hash: HashRow,
    found: Found,
  ) {
    const side = (number: 0 | 1): Side => ({
      number,
      cursor: new LineCursor(read[number]()),
      unmatched: new Unmatched(),
      pickId: id[number],
      pickRow: row[number],
      id: { low: 0, high: 0 },
      hasId: false,
      rows: 0,
      alone: 0,
    });
    this.sides = [side(0), side(1)];
    this.#match = match;
    this.#hash = hash;
    this.#isKeyed = isKeyed;
    this.#found = found;
  }

  /** Reads both sides to their ends. Returns false for a key that is there twice. Throws TooManyRowsError. */
  async run(): Promise<boolean> {
    const [{ cursor: one }, { cursor: two }] = this.sides;
    try {
      while ((one.isAtLine() || await one.load()) && (two.isAtLine() || await two.load())) {
        if (!this.#joinLines()) return false;
      }
      for (const side of this.sides) {
        while (side.cursor.isAtLine() || await side.cursor.load()) this.#takeRest(side);
      }
    } finally {
      await one.close();
      await two.close();
    }
    for (const side of this.sides) {
      side.alone += this.#isKeyed ? side.unmatched.size : side.unmatched.counted();
    }
    return true;
  }

  /** Compares lines as long as both sides have one at hand. */
  #joinLines(): boolean {
    const [before, after] = this.sides;
    const [one, two] = [before.cursor, after.cursor];
    while (one.isAtLine() && two.isAtLine()) {
      const match = this.#match(one, two);
      if (match === "changed") this.#noteChange(before, after);
      if (match !== "other") {
        this.#advance(before);
        this.#advance(after);
      } else if (this.#meets(before, after)) {
        this.#advance(before);
      } else if (this.#meets(after, before)) {
        this.#advance(after);
      } else {
        if (!this.#hold(before) || !this.#hold(after)) return false;
        if (before.unmatched.size + after.unmatched.size > MOST_ROWS) throw new TooManyRowsError();
      }
    }
    return true;
  }

  /** Takes a line of a side whose other side has ended. */
  #takeRest(side: Side): void {
    const other = this.sides[side.number === 0 ? 1 : 0];
    if (other.unmatched.size === 0 || !this.#meets(side, other)) {
      side.alone++;
      if (this.#found.wantsAlone(side.number)) this.#found.onAlone(side.number, side.cursor.line());
    }
    this.#advance(side);
  }

  #noteChange(before: Side, after: Side): void {
    this.changed++;
    if (!this.#found.wantsChanges()) return;
    this.#found.onChanged(1, after.id, after.cursor.line(), before.cursor.line());
  }

  /** Returns whether the other side had the row before. */
  #meets(side: Side, other: Side): boolean {
    if (other.unmatched.size === 0) return false;
    const id = this.#idOf(side);
    if (!this.#isKeyed) return other.unmatched.takeOne(id);
    const taken = other.unmatched.take(id);
    if (taken === null) return false;
    const line = side.cursor.line();
    this.#hash(side.pickRow(line), this.#row);
    if (taken.value.low !== this.#row.low || taken.value.high !== this.#row.high) {
      this.changed++;
      this.#found.onChanged(side.number, id, line, taken.line);
    }
    return true;
  }

  /** Keeps a row until the other side has it. Returns false for a key that is kept already. */
  #hold(side: Side): boolean {
    const id = this.#idOf(side);
    const line = side.cursor.line();
    if (!this.#isKeyed) {
      side.unmatched.addOne(id, line);
    } else {
      this.#hash(side.pickRow(line), this.#row);
      if (!side.unmatched.add(id, this.#row, line)) return false;
    }
    this.#advance(side);
    return true;
  }

  #idOf(side: Side): Bits {
    if (!side.hasId) this.#hash(side.pickId(side.cursor.line()), side.id);
    side.hasId = true;
    return side.id;
  }

  #advance(side: Side): void {
    side.rows++;
    side.hasId = false;
    side.cursor.advance();
  }
}
