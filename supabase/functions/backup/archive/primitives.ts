/**
 * Integers, strings and offsets of the custom format, both ways (pg_backup_archiver.c: WriteInt, WriteStr,
 * WriteOffset).
 */

import { joinPieces } from "./pieces.ts";

/** Bytes of an integer's magnitude; a sign byte comes before it. */
export const INT_SIZE = 4;
export const OFFSET_SIZE = 8;

/** Whether a data block's place in the file is known (pg_backup_archiver.h, K_OFFSET_*). */
export const OFFSET_NOT_SET = 1;
export const OFFSET_SET = 2;
export const OFFSET_NO_DATA = 3;

const BUFFER_BYTES = 64 * 1024;

/**
 * Collects bytes in buffers that are joined at the end: one that grows would be held twice, half empty, whenever it is
 * full.
 */
export class ByteWriter {
  readonly #full: Uint8Array[] = [];
  #buffer: Uint8Array;
  #length = 0;
  readonly #encoder = new TextEncoder();

  /** With `expected` bytes there is one buffer, if no more come. */
  constructor(expected = BUFFER_BYTES) {
    this.#buffer = new Uint8Array(expected);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** Sign byte, then the magnitude, little endian. */
  int(value: number): void {
    this.#reserve(1 + INT_SIZE);
    this.#buffer[this.#length++] = value < 0 ? 1 : 0;
    let magnitude = Math.abs(value);
    for (let index = 0; index < INT_SIZE; index++) {
      this.#buffer[this.#length++] = magnitude & 0xff;
      magnitude = Math.floor(magnitude / 256);
    }
  }

  /** Length in bytes and UTF-8 without a terminator; `null` is the length -1. */
  string(value: string | null): void {
    if (value === null) return this.int(-1);
    // Three bytes for each UTF-16 unit is the most that UTF-8 takes; they are counted where that many are not left.
    const most = 1 + INT_SIZE + value.length * 3;
    this.#reserve(this.#fits(most) ? most : 1 + INT_SIZE + this.#encoder.encode(value).length);
    const { written } = this.#encoder.encodeInto(value, this.#buffer.subarray(this.#length + 1 + INT_SIZE));
    this.int(written);
    this.#length += written;
  }

  /** An offset whose position is zero: a stream cannot be patched later, and pg_restore scans for the block. */
  offset(flag: typeof OFFSET_NOT_SET | typeof OFFSET_NO_DATA): void {
    this.byte(flag);
    for (let index = 0; index < OFFSET_SIZE; index++) this.byte(0);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written; nothing may be written afterwards. */
  bytes(): Uint8Array {
    const last = this.#buffer.subarray(0, this.#length);
    // A copy of little is cheap, and lets the buffer go.
    if (this.#full.length === 0) return last.length > BUFFER_BYTES ? last : last.slice();
    return joinPieces([...this.#full, last]);
  }

  #fits(more: number): boolean {
    return this.#length + more <= this.#buffer.length;
  }

  /** Makes room for `more` bytes in one buffer. */
  #reserve(more: number): void {
    if (this.#fits(more)) return;
    this.#full.push(this.#buffer.subarray(0, this.#length));
    this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES, more));
    this.#length = 0;
  }
}

/** An archive that says something it cannot mean; the message holds the position. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

/** Where bytes come from: answers up to `length` bytes, fewer at the end only. */
export type ReadBytes = (length: number) => Promise<Uint8Array>;

/** The way back. Every method throws ArchiveError at an early end. */
export class ByteReader {
  position = 0;
  readonly #read: ReadBytes;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  async raw(length: number): Promise<Uint8Array> {
    const bytes = await this.#read(length);
    if (bytes.length < length) {
      throw new ArchiveError(
        `The archive ends at byte ${this.position + bytes.length}, ${length - bytes.length} too early`,
      );
    }
    this.position += length;
    return bytes;
  }

  async byte(): Promise<number> {
    return (await this.raw(1))[0]!;
  }

  /** A byte, or null at the end of the archive. */
  async byteOrEnd(): Promise<number | null> {
    const bytes = await this.#read(1);
    if (bytes.length === 0) return null;
    this.position++;
    return bytes[0]!;
  }

  async int(): Promise<number> {
    const bytes = await this.raw(1 + INT_SIZE);
    let magnitude = 0;
    for (let index = INT_SIZE; index > 0; index--) {
      magnitude = magnitude * 256 + bytes[index]!;
    }
    return bytes[0] === 0 ? magnitude : -magnitude;
  }

  async string(): Promise<string | null> {
    const length = await this.int();
    if (length < 0) return null;
    return this.#decoder.decode(await this.raw(length));
  }

  /** The flag and the position, which is 0 where none is set. */
  async offset(): Promise<{ flag: number; position: number }> {
    const bytes = await this.raw(1 + OFFSET_SIZE);
    let position = 0;
    for (let index = OFFSET_SIZE; index > 0; index--) {
      position = position * 256 + bytes[index]!;
    }
    return { flag: bytes[0]!, position };
  }
}
