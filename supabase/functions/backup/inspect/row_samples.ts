/** Rows that a comparison shows: those that were at hand when they were found, and the others by reading again. */
import { lineBatches } from "../restore_plan/copy_text.ts";
import { valuesOfLine } from "./fields.ts";
import type { Pick } from "./match_lines.ts";
import type { HashRow } from "./row_hash.ts";
import type { Bits } from "./row_index.ts";
import type { Found } from "./row_join.ts";
import type { Unmatched } from "./unmatched.ts";

/** Values in the order of the columns of each side; null on the side that lacks the row. */
export interface RowChange {
  before: (string | null)[] | null;
  after: (string | null)[] | null;
}

/** Where rows are found that were not at hand. */
interface Source {
  read(): AsyncIterable<Uint8Array>;
  pickId: Pick;
  unmatched: Unmatched;
}

export class RowSamples implements Found {
  readonly #columns: readonly [number, number];
  readonly #most: number;
  readonly #alone: [RowChange[], RowChange[]] = [[], []];
  readonly #changed: RowChange[] = [];
  /** Changes of which one side is missing, by hash. */
  readonly #incomplete = new Map<string, RowChange>();

  /** Keeps so many of each kind. */
  constructor(columns: readonly [number, number], most: number) {
    this.#columns = columns;
    this.#most = most;
  }

  wantsChanges(): boolean {
    return this.#changed.length < this.#most;
  }

  wantsAlone(side: 0 | 1): boolean {
    return this.#alone[side].length < this.#most;
  }

  onAlone(side: 0 | 1, line: Uint8Array): void {
    if (this.wantsAlone(side)) this.#alone[side].push(this.#change(side, line, null));
  }

  onChanged(side: 0 | 1, id: Bits, line: Uint8Array, other: Uint8Array | null): void {
    if (!this.wantsChanges()) return;
    if (other !== null) this.#changed.push(this.#change(side, line, other));
    else if (this.#incomplete.size < this.#most) {
      this.#incomplete.set(nameOf(id), this.#change(side, line, null));
    }
  }

  /** Returns the samples: rows added, removed, changed. Reads a side again only where its rows were not kept. */
  async collect(sources: readonly [Source, Source], hash: HashRow): Promise<RowChange[]> {
    for (const [name] of [...this.#incomplete].slice(this.#most - this.#changed.length)) {
      this.#incomplete.delete(name);
    }
    for (const [index, source] of sources.entries()) {
      const side = index as 0 | 1;
      const kept = [...source.unmatched.lines()];
      const shown = kept.slice(0, this.#most).map((line) => this.#change(side, line, null));
      // They came before those that were found at the end.
      this.#alone[side] = [...shown, ...this.#alone[side]].slice(0, this.#most);
      const left = Math.min(this.#most - this.#alone[side].length, source.unmatched.size - kept.length);
      await this.#readAgain(side, source, hash, left);
    }
    const [removed, added] = this.#alone;
    return [...added, ...removed, ...this.#changed, ...this.#incomplete.values()];
  }

  /** Finds so many rows that only this side has, and its versions of those that have changed. */
  async #readAgain(
    side: 0 | 1,
    { read, pickId, unmatched }: Source,
    hash: HashRow,
    alone: number,
  ): Promise<void> {
    const lacksSide = (change: RowChange) => (side === 0 ? change.before : change.after) === null;
    let changed = [...this.#incomplete.values()].filter(lacksSide).length;
    if (alone + changed === 0) return;
    const id: Bits = { low: 0, high: 0 };
    const shown = new Set<string>();
    for await (const lines of lineBatches(read())) {
      for (const line of lines) {
        hash(pickId(line), id);
        const change = changed > 0 ? this.#incomplete.get(nameOf(id)) : undefined;
        if (change !== undefined && lacksSide(change)) {
          change[side === 0 ? "before" : "after"] = valuesOfLine(line, this.#columns[side]);
          changed--;
        } else if (alone > 0 && unmatched.lacksText(id) && !shown.has(nameOf(id))) {
          this.onAlone(side, line);
          shown.add(nameOf(id));
          alone--;
        }
        if (alone + changed === 0) return;
      }
    }
  }

  #change(side: 0 | 1, line: Uint8Array, other: Uint8Array | null): RowChange {
    const [before, after] = side === 0 ? [line, other] : [other, line];
    return {
      before: before && valuesOfLine(before, this.#columns[0]),
      after: after && valuesOfLine(after, this.#columns[1]),
    };
  }
}

function nameOf({ low, high }: Bits): string {
  return `${low} ${high}`;
}
