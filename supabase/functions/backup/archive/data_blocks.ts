/** What a data block holds: chunks of one stream, compressed or not, and where it lies among others. */
import { createInflate, type Inflate } from "node:zlib";
import { BLOCK_BLOBS, BLOCK_DATA } from "./block.ts";
import type { ByteSource } from "./byte_source.ts";
import { SourceReader } from "./byte_source.ts";
import { joinPieces, plainBytes } from "./pieces.ts";
import { ArchiveError, type ByteReader } from "./primitives.ts";

/** Where a data block lies in the archive, and what its chunks hold together. */
export interface BlockPlace {
  begin: number;
  end: number;
  /** Bytes as stored. */
  bytes: number;
}

/** Fed to inflate and taken from it at once: with pg_dump's own 4 KiB it spends most of its time on being called. */
const PIECE_BYTES = 256 * 1024;

/** Read at once of a chunk: ours are shorter. */
const CHUNK_BYTES = 512 * 1024;

/** The first piece is so small, for those who want the first rows only; each may be twice as large as the last. */
const FIRST_BYTES = 32 * 1024;

/** Reads a block's type and dump id. Throws ArchiveError where none begins. */
export async function readBlockStart(
  reader: ByteReader,
): Promise<{ type: typeof BLOCK_DATA | typeof BLOCK_BLOBS; dumpId: number } | null> {
  const type = await reader.byteOrEnd();
  if (type === null) return null;
  if (type !== BLOCK_DATA && type !== BLOCK_BLOBS) {
    throw new ArchiveError(`Byte ${reader.position - 1} begins no data block: ${type}`);
  }
  return { type, dumpId: await reader.int() };
}

/**
 * Reads one stream, from its first chunk to the zero behind its last, and returns its bytes, inflated unless the
 * archive is not compressed. Throws ArchiveError where it is damaged: inflate checks its Adler-32.
 */
export function contentOf(
  reader: ByteReader,
  compressed: boolean,
  dumpId: number,
): AsyncGenerator<Uint8Array> {
  const pieces = gathered(chunks(reader));
  return compressed ? inflated(pieces, dumpId) : pieces;
}

/**
 * Finds the blocks by their chunks' lengths, without reading the rows, until all of `wanted` are found or the archive
 * ends. Throws ArchiveError.
 */
export async function findBlocks(
  source: ByteSource,
  begin: number,
  wanted: ReadonlySet<number>,
): Promise<Map<number, BlockPlace>> {
  const blocks = new Map<number, BlockPlace>();
  const missing = new Set(wanted);
  const reader = new SourceReader(source, begin);
  // pg_dump from 16 on leaves a second table of contents behind the last block when a shell redirects it.
  while (missing.size > 0) {
    const place = { begin: reader.position, end: 0, bytes: 0 };
    const start = await readBlockStart(reader);
    if (start === null) break;
    // A block of large objects is a list of such runs of chunks, each behind its OID, and ends with the OID 0.
    let inside = start.type === BLOCK_DATA;
    while (true) {
      const value = await reader.int();
      if (!inside) {
        if (value === 0) break;
        inside = true;
      } else if (value === 0) {
        if (start.type === BLOCK_DATA) break;
        inside = false;
      } else {
        place.bytes += lengthOf(value, reader);
        reader.skip(value);
      }
    }
    blocks.set(start.dumpId, { ...place, end: reader.position });
    missing.delete(start.dumpId);
  }
  return blocks;
}

function lengthOf(length: number, { position }: ByteReader): number {
  if (length < 0) throw new ArchiveError(`The chunk before byte ${position} has a negative length`);
  return length;
}

async function* chunks(reader: ByteReader): AsyncGenerator<Uint8Array> {
  let most = FIRST_BYTES;
  for (let length = await reader.int(); length !== 0; length = await reader.int()) {
    // Without compression pg_dump makes a chunk of each row, which may have a gigabyte.
    for (let left = lengthOf(length, reader); left > 0;) {
      const piece = await reader.raw(Math.min(left, most));
      most = Math.min(most * 2, CHUNK_BYTES);
      left -= piece.length;
      yield piece;
    }
  }
}

/** Joins small pieces. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  let most = FIRST_BYTES;
  for await (const piece of pieces) {
    if (bytes + piece.length > most && bytes > 0) {
      yield joinPieces(small);
      most = Math.min(most * 2, PIECE_BYTES);
      small = [];
      bytes = 0;
    }
    small.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield joinPieces(small);
}

async function* inflated(compressed: AsyncIterable<Uint8Array>, dumpId: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflate({ chunkSize: PIECE_BYTES });
  const fed = feed(inflate, compressed);
  try {
    for await (const bytes of inflate) yield plainBytes(bytes);
  } catch (error) {
    throw new ArchiveError(`The data block of entry ${dumpId} is damaged: ${(error as Error).message}`);
  } finally {
    inflate.destroy();
    await fed;
  }
}

async function feed(inflate: Inflate, compressed: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const bytes of compressed) {
      if (inflate.destroyed) return;
      if (inflate.write(bytes)) continue;
      await new Promise((resolve) => {
        inflate.once("drain", resolve);
        inflate.once("close", resolve);
      });
    }
    inflate.end();
  } catch (error) {
    inflate.destroy(error as Error);
  }
}
