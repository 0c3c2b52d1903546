/** Bytes that can be read anywhere: a file, the joined parts of a bucket, memory. */
import { ArchiveError, ByteReader } from "./primitives.ts";

export interface ByteSource {
  readonly size: number;
  /** Returns up to `length` bytes from `offset`: at least one, unless the source ends there. They stay valid. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Read at once: a head is made of thousands of small fields, and blocks by pg_dump of chunks of 4 KiB. */
const WINDOW_BYTES = 256 * 1024;

/** Read at once behind a chunk that was skipped: what comes next is the head of another one. */
const HEAD_BYTES = 4 * 1024;

/** Chunks of which so much was not in the window are large: the next head is as far away. */
const LARGE_GAP_BYTES = 64 * 1024;

/** From here on what a window does not hold is read by itself: copied out of windows it would take its size twice. */
const UNCOPIED_BYTES = 64 * 1024;

/** A ByteReader over a source, which can also skip. */
export class SourceReader extends ByteReader {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array();
  /** Where the window begins in the source. */
  #begin: number;

  constructor(source: ByteSource, position = 0) {
    super((length) => this.#take(length));
    this.#source = source;
    this.position = position;
    this.#begin = position;
  }

  /** Moves ahead without reading what a window does not hold. Throws ArchiveError beyond the end. */
  skip(length: number): void {
    if (this.position + length > this.#source.size) {
      throw new ArchiveError(`The archive ends at byte ${this.#source.size}, in the middle of a data block`);
    }
    this.position += length;
  }

  async #take(length: number): Promise<Uint8Array> {
    const from = this.position;
    // A length is only a claim: nothing is reserved for bytes that cannot be there.
    const wanted = Math.max(0, Math.min(length, this.#source.size - from));
    const inside = from - this.#begin;
    if (inside + wanted <= this.#window.length) return this.#window.subarray(inside, inside + wanted);
    if (wanted >= UNCOPIED_BYTES) {
      const whole = await this.#source.read(from, wanted);
      if (whole.length === wanted) return whole;
    }
    const taken = new Uint8Array(wanted);
    for (let filled = 0; filled < wanted;) {
      const at = from + filled;
      if (at < this.#begin || at >= this.#begin + this.#window.length) {
        const gap = at - this.#begin - this.#window.length;
        this.#window = await this.#source.read(at, gap < LARGE_GAP_BYTES ? WINDOW_BYTES : HEAD_BYTES);
        this.#begin = at;
        if (this.#window.length === 0) return taken.subarray(0, filled);
      }
      const here = this.#window.subarray(at - this.#begin, at - this.#begin + wanted - filled);
      taken.set(here, filled);
      filled += here.length;
    }
    return taken;
  }
}

/** Makes a source of bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
