/** Numbers of many rows, found by a hash of 64 bits: 20 bytes a place, for millions of rows. */

const INITIAL_PLACES = 1024;

/** Of a place: the hash, the value, and a number that is 0 where the place is empty. */
const WORDS = 5;

/** 64 bits as two numbers of 32: a bigint of each row would be garbage. */
export interface Bits {
  low: number;
  high: number;
}

export class RowIndex {
  #words = new Uint32Array(INITIAL_PLACES * WORDS);
  #last = INITIAL_PLACES - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the place of a hash, valid until the next change; -1 where it is missing. */
  find({ low, high }: Bits): number {
    const words = this.#words;
    for (let place = low & this.#last;; place = (place + 1) & this.#last) {
      const at = place * WORDS;
      if (words[at + 4] === 0) return -1;
      if (words[at] === low && words[at + 1] === high) return place;
    }
  }

  /** Adds a hash that is missing, with a value and a number that is not 0. */
  add({ low, high }: Bits, value: Bits, number: number): void {
    if (++this.#size * 4 > (this.#last + 1) * 3) this.#grow();
    this.#put(low, high, value.low, value.high, number);
  }

  value(place: number): Bits {
    const at = place * WORDS + 2;
    return { low: this.#words[at]!, high: this.#words[at + 1]! };
  }

  setValue(place: number, { low, high }: Bits): void {
    const at = place * WORDS + 2;
    this.#words[at] = low;
    this.#words[at + 1] = high;
  }

  number(place: number): number {
    return this.#words[place * WORDS + 4]!;
  }

  /** Empties a place, and moves those behind it that are where they are because it was taken. */
  remove(place: number): void {
    const words = this.#words;
    let empty = place;
    for (let next = (place + 1) & this.#last;; next = (next + 1) & this.#last) {
      const at = next * WORDS;
      if (words[at + 4] === 0) break;
      const home = words[at]! & this.#last;
      if (((next - home) & this.#last) < ((next - empty) & this.#last)) continue;
      words.copyWithin(empty * WORDS, at, at + WORDS);
      empty = next;
    }
    words[empty * WORDS + 4] = 0;
    this.#size--;
  }

  /** Yields the places that are taken. */
  *places(): Generator<number> {
    for (let place = 0; place <= this.#last; place++) if (this.number(place) !== 0) yield place;
  }

  #put(low: number, high: number, valueLow: number, valueHigh: number, number: number): void {
    const words = this.#words;
    let place = low & this.#last;
    while (words[place * WORDS + 4] !== 0) place = (place + 1) & this.#last;
    const at = place * WORDS;
    words[at] = low;
    words[at + 1] = high;
    words[at + 2] = valueLow;
    words[at + 3] = valueHigh;
    words[at + 4] = number;
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(old.length * 2);
    this.#last = this.#last * 2 + 1;
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 4] !== 0) this.#put(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!, old[at + 4]!);
    }
  }
}
