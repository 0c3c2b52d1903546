/**
 * Rows and a hash of COPY text that does not depend on the order of its rows: equal content has equal hashes.
 */
import type { XXHash, XXHashAPI } from "xxhash-wasm";
import { xxhash } from "./xxhash.ts";

export interface Content {
  rows: number;
  /** 16 hexadecimal digits: the sum of the XXH64 of each row. */
  hash: string;
}

const NEWLINE = 10;

/** Returns a hash that nothing was pushed into. */
export async function contentHash(): Promise<ContentHash> {
  return new ContentHash(await xxhash());
}

/**
 * Takes COPY text as it comes. Hashes of rows are added up: a sum knows no order, and counts rows that are
 * there twice.
 */
class ContentHash {
  readonly #xxhash: XXHashAPI;
  #rows = 0;
  #sum = 0n;
  /** Of a row that began in an earlier piece. */
  #begun: XXHash<bigint> | null = null;
  /** Its first bytes, where it is short enough for the end mark. */
  #short = "";
  #ended = false;

  constructor(api: XXHashAPI) {
    this.#xxhash = api;
  }

  push(bytes: Uint8Array): void {
    let begin = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && !this.#ended; end = bytes.indexOf(NEWLINE, begin)) {
      this.#row(bytes.subarray(begin, end));
      begin = end + 1;
    }
    if (this.#ended || begin === bytes.length) return;
    const rest = bytes.subarray(begin);
    this.#begun = (this.#begun ?? this.#xxhash.create64()).update(rest);
    this.#short = start(this.#short, rest);
  }

  #row(bytes: Uint8Array): void {
    this.#ended = this.#short.length + bytes.length === 2 && start(this.#short, bytes) === "\\.";
    if (!this.#ended) {
      const hash = this.#begun === null ? this.#xxhash.h64Raw(bytes) : this.#begun.update(bytes).digest();
      this.#sum = BigInt.asUintN(64, this.#sum + hash);
      this.#rows++;
    }
    this.#begun = null;
    this.#short = "";
  }

  get content(): Content {
    return { rows: this.#rows, hash: this.#sum.toString(16).padStart(16, "0") };
  }
}

/** Hashes all of it. */
export async function contentOf(pieces: AsyncIterable<Uint8Array>): Promise<Content> {
  const hash = await contentHash();
  for await (const piece of pieces) hash.push(piece);
  return hash.content;
}

/** Returns the first bytes of a row, up to one more than the end mark has. */
function start(before: string, { length, 0: first, 1: second, 2: third }: Uint8Array): string {
  if (before.length > 2 || length === 0) return before;
  return (before + String.fromCharCode(first!, second ?? 32, third ?? 32).slice(0, length)).slice(0, 3);
}
