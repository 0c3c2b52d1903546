/**
 * The frame of a data block: type, dump id, chunks of one zlib stream, a zero (pg_backup_custom.c, _StartData,
 * _EndData). Written in three steps by possibly three writers: open, segments, close.
 */
import { ByteWriter } from "./primitives.ts";

/** pg_backup_custom.c, BLK_DATA and BLK_BLOBS. */
export const BLOCK_DATA = 1;
export const BLOCK_BLOBS = 3;

/** RFC 1950: deflate with a window of 32 KiB, default level, check bits. */
const ZLIB_HEADER = new Uint8Array([0x78, 0x9c]);

/** RFC 1951: a last block with fixed codes that holds nothing but its end. */
const EMPTY_FINAL_BLOCK = new Uint8Array([0x03, 0x00]);

/** What COPY text in an archive ends with: the end-of-data mark, for scripts, and pg_dump's two empty lines. */
export const COPY_END = new TextEncoder().encode("\\.\n\n\n");

/** Begins the data block of `dumpId`. */
export function openBlock(dumpId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(BLOCK_DATA);
  writer.int(dumpId);
  writeChunk(writer, ZLIB_HEADER);
  return writer.bytes();
}

/** Begins the data block of `dumpId` that holds large objects, each between openLargeObject() and closeBlock(). */
export function openLargeObjects(dumpId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(BLOCK_BLOBS);
  writer.int(dumpId);
  return writer.bytes();
}

/** Begins a large object: a zlib stream of its own. */
export function openLargeObject(oid: number): Uint8Array {
  const writer = new ByteWriter();
  // pg_dump hands OIDs to a function that takes signed integers.
  writer.int(oid | 0);
  writeChunk(writer, ZLIB_HEADER);
  return writer.bytes();
}

/** Ends a data block of large objects: where an OID is expected, a zero. */
export function closeLargeObjects(): Uint8Array {
  const writer = new ByteWriter();
  writer.int(0);
  return writer.bytes();
}

/** Ends a data block, or a large object, whose uncompressed bytes have the Adler-32 `checksum`. */
export function closeBlock(checksum: number): Uint8Array {
  const ending = new Uint8Array(EMPTY_FINAL_BLOCK.length + 4);
  ending.set(EMPTY_FINAL_BLOCK);
  new DataView(ending.buffer).setUint32(EMPTY_FINAL_BLOCK.length, checksum);
  const writer = new ByteWriter();
  writeChunk(writer, ending);
  writer.int(0);
  return writer.bytes();
}

function writeChunk(writer: ByteWriter, bytes: Uint8Array): void {
  writer.int(bytes.length);
  writer.raw(bytes);
}
