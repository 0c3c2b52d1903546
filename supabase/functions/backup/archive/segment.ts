/**
 * Raw deflate segments: compressed runs that end on a byte boundary with a full flush and without a final block, so
 * that segments of different writers joined in order are one deflate stream.
 */
import { constants, deflateRawSync } from "node:zlib";
import { adler32, ADLER_OF_NOTHING } from "./adler.ts";
import { INT_SIZE } from "./primitives.ts";

/** Compressed at a time. Each block begins with an empty window, which at this size costs 0.1 % of the result. */
export const BLOCK_BYTES = 1024 * 1024;

/** Fewer bytes are not worth the state that deflate sets up: thousands of empty tables have five bytes each. */
const STORED_BELOW = 256;

export interface Segment {
  /** Adler-32 of the uncompressed bytes. */
  adler32: number;
  rawBytes: number;
}

/** Receives chunks of a data block: length and compressed bytes. */
export type Emit = (chunk: Uint8Array) => void | Promise<void>;

/** Takes bytes of any size and emits chunks, one for each full block and one for the rest. */
export class SegmentDeflater {
  readonly #level: number;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  #adler32 = ADLER_OF_NOTHING;
  #rawBytes = 0;
  #busyMs = 0;

  /** `level` is deflate's, 1 (fast) to 9 (small). */
  constructor(level: number) {
    this.#level = level;
  }

  /** Bytes taken since the segment began. */
  get rawBytes(): number {
    return this.#rawBytes + this.#filled;
  }

  /** Time that compression and checksums have taken: nearly all of it is the thread's CPU. */
  get busyMs(): number {
    return this.#busyMs;
  }

  async push(bytes: Uint8Array, emit: Emit): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      const here = Math.min(BLOCK_BYTES - this.#filled, bytes.length - taken);
      this.#block.set(bytes.subarray(taken, taken + here), this.#filled);
      this.#filled += here;
      taken += here;
      if (this.#filled === BLOCK_BYTES) await this.#flush(emit);
    }
  }

  /** Ends the segment; the deflater is ready for the next one. */
  async finish(emit: Emit): Promise<Segment> {
    if (this.#filled > 0) await this.#flush(emit);
    const segment = { adler32: this.#adler32, rawBytes: this.#rawBytes };
    this.#adler32 = ADLER_OF_NOTHING;
    this.#rawBytes = 0;
    return segment;
  }

  async #flush(emit: Emit): Promise<void> {
    const begin = performance.now();
    const bytes = this.#block.subarray(0, this.#filled);
    this.#adler32 = adler32(bytes, this.#adler32);
    this.#rawBytes += bytes.length;
    this.#filled = 0;
    const chunk = frame(bytes.length < STORED_BELOW ? stored(bytes) : this.#deflated(bytes));
    this.#busyMs += performance.now() - begin;
    await emit(chunk);
  }

  #deflated(bytes: Uint8Array): Uint8Array {
    const compressed: unknown = deflateRawSync(bytes, {
      level: this.#level,
      finishFlush: constants.Z_FULL_FLUSH,
    });
    return compressed as Uint8Array;
  }
}

/** RFC 1951, 3.2.4: not the last block, type 00, the length and its complement, the bytes. */
function stored(bytes: Uint8Array): Uint8Array {
  const block = new Uint8Array(5 + bytes.length);
  const view = new DataView(block.buffer);
  view.setUint16(1, bytes.length, true);
  view.setUint16(3, ~bytes.length & 0xffff, true);
  block.set(bytes, 5);
  return block;
}

/** A chunk: its length as an archive integer, then its bytes. */
function frame(compressed: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(1 + INT_SIZE + compressed.length);
  new DataView(chunk.buffer).setUint32(1, compressed.length, true);
  chunk.set(compressed, 1 + INT_SIZE);
  return chunk;
}
