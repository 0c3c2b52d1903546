/** Rows and a hash of COPY text that does not depend on the order of its rows: equal content has equal hashes. */

export interface Content {
  rows: number;
  /** 16 hexadecimal digits. */
  hash: string;
}

const NEWLINE = 10;

/** FNV-1a's offset and prime, and a second multiplier for a second, independent sum (of Knuth's multiplicative hashing). */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const SECOND = 0x9e3779b1;

/** Takes COPY text as it comes. Each line's two hashes of 32 bits are mixed and added up: a sum knows no order. */
export class ContentHash {
  #rows = 0;
  #first = 0;
  #second = 0;
  #a = OFFSET;
  #b = 0;
  #length = 0;
  #backslashDot = true;
  #ended = false;

  push(bytes: Uint8Array): void {
    if (this.#ended) return;
    let a = this.#a;
    let b = this.#b;
    let length = this.#length;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      if (byte !== NEWLINE) {
        a = Math.imul(a ^ byte, PRIME);
        b = Math.imul(b ^ (b >>> 15), SECOND) + byte | 0;
        // Only a line that is as short as the end mark can be it.
        if (length < 2) this.#backslashDot &&= byte === (length === 0 ? 0x5c : 0x2e);
        length++;
        continue;
      }
      if (length === 2 && this.#backslashDot) {
        this.#ended = true;
        return;
      }
      this.#first = this.#first + mixed(a ^ length) | 0;
      this.#second = this.#second + mixed(b + length | 0) | 0;
      this.#rows++;
      a = OFFSET;
      b = 0;
      length = 0;
      this.#backslashDot = true;
    }
    this.#a = a;
    this.#b = b;
    this.#length = length;
  }

  get content(): Content {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return { rows: this.#rows, hash: hex(this.#first) + hex(this.#second) };
  }
}

/** Hashes all of it. */
export async function contentOf(pieces: AsyncIterable<Uint8Array>): Promise<Content> {
  const hash = new ContentHash();
  for await (const piece of pieces) hash.push(piece);
  return hash.content;
}

/** MurmurHash3's last step: every bit of the result depends on every bit of the value, so that sums do not cancel out. */
function mixed(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
