/** Rows of one side whose other half has not come yet: hashes of all of them, and the text of some, to be shown. */
import { type Bits, RowIndex } from "./row_index.ts";

/** Text that is kept of each side. */
const MOST_LINES = 1000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Numbers of rows in the index: text that is kept has its own, from the one behind this on. */
const WITHOUT_TEXT = 1;

export interface Taken {
  value: Bits;
  /** The row, where its text was kept. */
  line: Uint8Array | null;
}

export class Unmatched {
  readonly #index = new RowIndex();
  readonly #lines = new Map<number, Uint8Array>();
  #bytes = 0;
  #lastNumber = WITHOUT_TEXT;

  /** Hashes that differ. */
  get size(): number {
    return this.#index.size;
  }

  /** Whether the row with this hash is here without its text. */
  lacksText(id: Bits): boolean {
    const place = this.#index.find(id);
    return place >= 0 && this.#index.number(place) === WITHOUT_TEXT;
  }

  /** Adds a row with the hash of its values. Returns false where it is here already. */
  add(id: Bits, value: Bits, line: Uint8Array): boolean {
    if (this.#index.find(id) >= 0) return false;
    this.#index.add(id, value, this.#keep(line));
    return true;
  }

  /** Takes a row out, whose other half has come. Returns null where it is missing. */
  take(id: Bits): Taken | null {
    const place = this.#index.find(id);
    return place < 0 ? null : this.#takeAt(place);
  }

  /** Adds a row that is counted where it is here already. */
  addOne(id: Bits, line: Uint8Array): void {
    const place = this.#index.find(id);
    if (place < 0) return void this.add(id, { low: 1, high: 0 }, line);
    this.#index.setValue(place, { low: this.#index.value(place).low + 1, high: 0 });
  }

  /** Takes one of the rows with this hash. Returns whether there was one. */
  takeOne(id: Bits): boolean {
    const place = this.#index.find(id);
    if (place < 0) return false;
    const { low } = this.#index.value(place);
    if (low === 1) this.#takeAt(place);
    else this.#index.setValue(place, { low: low - 1, high: 0 });
    return true;
  }

  /** Returns the sum of all that were added by addOne() and not taken. */
  counted(): number {
    let rows = 0;
    for (const place of this.#index.places()) rows += this.#index.value(place).low;
    return rows;
  }

  /** The texts that were kept, in the order in which they came. */
  lines(): Iterable<Uint8Array> {
    return this.#lines.values();
  }

  #takeAt(place: number): Taken {
    const number = this.#index.number(place);
    const value = this.#index.value(place);
    this.#index.remove(place);
    const line = number === WITHOUT_TEXT ? null : this.#lines.get(number)!;
    if (line !== null) {
      this.#bytes -= line.length;
      this.#lines.delete(number);
    }
    return { value, line };
  }

  #keep(line: Uint8Array): number {
    if (this.#lines.size === MOST_LINES || this.#bytes + line.length > MOST_BYTES) return WITHOUT_TEXT;
    this.#lines.set(++this.#lastNumber, line.slice());
    this.#bytes += line.length;
    return this.#lastNumber;
  }
}
