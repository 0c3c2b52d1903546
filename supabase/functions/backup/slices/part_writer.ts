/** Collects the bytes of a slice into parts, and stores one while the next is filled. */

/**
 * Stores a part: its number in the archive's order and its bytes, which stay valid until the promise resolves. `room`
 * begins with the same bytes and is longer; both may be overwritten.
 */
export type StorePart = (number: number, bytes: Uint8Array, room: Uint8Array) => Promise<void>;

const INITIAL_BYTES = 4 * 1024 * 1024;

export class PartWriter {
  readonly #firstPart: number;
  readonly #partBytes: number;
  readonly #spare: number;
  readonly #store: StorePart;
  #next: number;
  /** One is filled while the other is stored: memory is two parts, whatever the slice's size. */
  #filling: Uint8Array = new Uint8Array();
  #other: Uint8Array = new Uint8Array();
  #filled = 0;
  #storing: Promise<void> = Promise.resolve();

  /**
   * Parts are numbered from `firstPart`, and have `partBytes` at most, with room for `spare` bytes more behind them.
   */
  constructor(firstPart: number, partBytes: number, store: StorePart, spare = 0) {
    this.#firstPart = firstPart;
    this.#next = firstPart;
    this.#partBytes = partBytes;
    this.#spare = spare;
    this.#store = store;
  }

  /** Parts begun so far. */
  get parts(): number {
    return this.#next - this.#firstPart + (this.#filled > 0 ? 1 : 0);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      const here = Math.min(this.#partBytes - this.#filled, bytes.length - taken);
      this.#reserve(here);
      this.#filling.set(bytes.subarray(taken, taken + here), this.#filled);
      this.#filled += here;
      taken += here;
      if (this.#filled === this.#partBytes) await this.#flush();
    }
  }

  /** Begins to store what is left. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
  }

  /** Resolves when all parts so far are stored; throws what storing threw. */
  get stored(): Promise<void> {
    return this.#storing;
  }

  /** Waits until no part is being stored, also when storing fails. */
  async settle(): Promise<void> {
    await this.#storing.catch(() => {});
  }

  async #flush(): Promise<void> {
    await this.#storing;
    const room = this.#filling;
    const full = room.subarray(0, this.#filled);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#filled = 0;
    this.#storing = this.#store(this.#next++, full, room);
    // The next call that waits for it gets the error; until then it must not count as unhandled.
    this.#storing.catch(() => {});
  }

  #reserve(more: number): void {
    const needed = this.#filled + more + this.#spare;
    if (needed <= this.#filling.length) return;
    const size = Math.min(
      this.#partBytes + this.#spare,
      Math.max(needed, this.#filling.length * 2, INITIAL_BYTES),
    );
    const grown = new Uint8Array(size);
    grown.set(this.#filling.subarray(0, this.#filled));
    this.#filling = grown;
  }
}
