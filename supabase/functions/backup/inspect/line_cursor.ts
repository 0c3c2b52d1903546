/** Goes through COPY text line by line without cutting it: cutting millions of lines costs more than comparing them. */
import { joinPieces, plainBytes } from "../archive/pieces.ts";

const NEWLINE = 10;
const BACKSLASH = 92;
const DOT = 46;

export class LineCursor {
  /** The line begins at `begin` and ends before a newline. */
  bytes: Uint8Array = new Uint8Array();
  begin = 0;
  /** There is no newline between `begin` and here: set by whoever has looked. */
  searched = 0;

  readonly #pieces: AsyncIterator<Uint8Array>;
  /** Behind the last newline of `bytes`. */
  #limit = 0;
  /** Pieces of a line whose end has not been read yet. */
  #begun: Uint8Array[] = [];
  /** What was read behind a line that came in pieces. */
  #left: Uint8Array | null = null;
  #ended = false;

  constructor(text: AsyncIterable<Uint8Array>) {
    this.#pieces = text[Symbol.asyncIterator]();
  }

  /** Whether there is a line at hand; otherwise load() tells. */
  isAtLine(): boolean {
    const { bytes, begin } = this;
    if (begin >= this.#limit) return false;
    if (bytes[begin] !== BACKSLASH || bytes[begin + 1] !== DOT || bytes[begin + 2] !== NEWLINE) return true;
    this.#ended = true;
    this.#limit = begin;
    return false;
  }

  /** Reads on to the next line. Returns false at the end mark, and at the end of the text. */
  async load(): Promise<boolean> {
    while (!this.isAtLine()) {
      if (this.#ended) return false;
      const piece = this.#left ?? await this.#next();
      this.#left = null;
      if (piece === null) return false;
      this.#take(piece);
    }
    return true;
  }

  /** Where the line ends: its newline. */
  get end(): number {
    return this.searched = this.bytes.indexOf(NEWLINE, this.searched);
  }

  /** The line without its newline, valid until the next load(). */
  line(): Uint8Array {
    return this.bytes.subarray(this.begin, this.end);
  }

  advance(): void {
    this.begin = this.searched = this.end + 1;
  }

  /** Ends the reading, wherever it is. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #next(): Promise<Uint8Array | null> {
    const { value, done } = await this.#pieces.next();
    if (!done) return plainBytes(value);
    this.#ended = true;
    return null;
  }

  /** Takes the whole lines of a piece, or the end of the line that has begun. */
  #take(piece: Uint8Array): void {
    const isBegun = this.#begun.length > 0;
    const end = isBegun ? piece.indexOf(NEWLINE) : piece.lastIndexOf(NEWLINE);
    const rest = piece.subarray(end + 1);
    if (end >= 0) {
      this.bytes = isBegun ? joinPieces([...this.#begun, piece.subarray(0, end + 1)]) : piece;
      this.begin = this.searched = 0;
      this.#limit = isBegun ? this.bytes.length : end + 1;
      this.#begun = [];
      if (isBegun) this.#left = rest;
    }
    if (rest.length > 0 && this.#left === null) this.#begun.push(rest.slice());
  }
}
