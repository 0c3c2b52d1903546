/** A number for each of many rows, found by a hash of 64 bits: 17 bytes a place, for millions of rows. */

const INITIAL_PLACES = 1024;

export class RowIndex {
  #keys = new BigUint64Array(INITIAL_PLACES);
  #values = new BigUint64Array(INITIAL_PLACES);
  #used = new Uint8Array(INITIAL_PLACES);
  #size = 0;

  /** Keys that were ever set. */
  get size(): number {
    return this.#size;
  }

  /** Returns the value of a key, or null. */
  get(key: bigint): bigint | null {
    const place = this.#placeOf(key);
    return this.#used[place] === 1 ? this.#values[place]! : null;
  }

  set(key: bigint, value: bigint): void {
    const place = this.#placeOf(key);
    this.#values[place] = value;
    if (this.#used[place] === 1) return;
    this.#used[place] = 1;
    this.#keys[place] = key;
    if (++this.#size * 2 > this.#keys.length) this.#grow();
  }

  *entries(): Generator<[bigint, bigint]> {
    for (let place = 0; place < this.#keys.length; place++) {
      if (this.#used[place] === 1) yield [this.#keys[place]!, this.#values[place]!];
    }
  }

  /** Returns the place of a key, or the empty one where it belongs. */
  #placeOf(key: bigint): number {
    const last = this.#keys.length - 1;
    let place = Number(BigInt.asUintN(32, key)) & last;
    while (this.#used[place] === 1 && this.#keys[place] !== key) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const [keys, values, used] = [this.#keys, this.#values, this.#used];
    this.#keys = new BigUint64Array(keys.length * 2);
    this.#values = new BigUint64Array(keys.length * 2);
    this.#used = new Uint8Array(keys.length * 2);
    this.#size = 0;
    for (const [place, isUsed] of used.entries()) if (isUsed) this.set(keys[place]!, values[place]!);
  }
}
