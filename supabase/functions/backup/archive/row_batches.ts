/**
 * Rows of one table from any place in its data block: work that ends with an invocation goes on in the next. It holds
 * for archives of our own alone, whose chunks each end with a full flush and can be inflated without what is before
 * them.
 */
import { inflateRawSync } from "node:zlib";
import { BLOCK_BYTES } from "./segment.ts";
import { BLOCK_DATA, COPY_END } from "./block.ts";
import { type ByteSource, SourceReader } from "./byte_source.ts";
import { readBlockStart } from "./data_blocks.ts";
import { countLines, joinPieces, plainBytes } from "./pieces.ts";
import { ArchiveError } from "./primitives.ts";

/** Before a row: the byte of the archive where a chunk begins, and bytes of that chunk's text to skip. */
export interface RowPlace {
  chunk: number;
  skip: number;
}

/** Whole rows. */
export interface RowBatch {
  text: Uint8Array;
  rows: number;
  /** Where the next row is; null behind the last one. */
  next: RowPlace | null;
}

const NEWLINE = 10;

/** Of a data block's type and dump id, and of the chunk with the zlib header. */
const ZLIB_HEADER_BYTES = 2;

/**
 * Returns the place of the first row of the data block that begins at `begin`. Throws ArchiveError where it is not
 * there.
 */
export async function firstRow(source: ByteSource, dumpId: number, begin: number): Promise<RowPlace> {
  const reader = new SourceReader(source, begin);
  const start = await readBlockStart(reader);
  if (start?.type !== BLOCK_DATA || start.dumpId !== dumpId || await reader.int() !== ZLIB_HEADER_BYTES) {
    throw new ArchiveError(`Byte ${begin} does not begin the data block of entry ${dumpId}`);
  }
  reader.skip(ZLIB_HEADER_BYTES);
  return { chunk: reader.position, skip: 0 };
}

/**
 * Yields the rows from a place on, a chunk's at a time; `time` runs what keeps the processor busy. Throws ArchiveError
 * where the block is damaged.
 */
export async function* rowBatches(
  source: ByteSource,
  place: RowPlace,
  time: <T>(run: () => T) => T = (run) => run(),
): AsyncGenerator<RowBatch> {
  const reader = new SourceReader(source, place.chunk);
  /** Text that was read and does not end a row yet, chunk by chunk. */
  let held: { text: Uint8Array; chunk: number; skip: number }[] = [];
  let skip = place.skip;
  for (let chunk = reader.position; true; chunk = reader.position, skip = 0) {
    const length = await reader.int();
    if (length < 0) throw new ArchiveError(`The chunk at byte ${chunk} has a negative length`);
    if (length === 0) break;
    const bytes = await reader.raw(length);
    const text = time(() => inflated(bytes, chunk)).subarray(skip);
    held.push({ text, chunk, skip });
    // What may be the end mark waits for what follows.
    const end = text.length <= COPY_END.length
      ? 0
      : text.lastIndexOf(NEWLINE, text.length - COPY_END.length - 1) + 1;
    if (end === 0) continue;
    const rows = joinPieces([...held.slice(0, -1).map((piece) => piece.text), text.subarray(0, end)]);
    held = [{ text: text.subarray(end), chunk, skip: skip + end }];
    yield { text: rows, rows: countLines(rows), next: { chunk, skip: skip + end } };
  }
  const rest = joinPieces(held.map(({ text }) => text));
  const end = rest.length - COPY_END.length;
  if (end < 0 || COPY_END.some((byte, index) => rest[end + index] !== byte)) {
    throw new ArchiveError(`The data block before byte ${reader.position} does not end as COPY text does`);
  }
  yield { text: rest.subarray(0, end), rows: countLines(rest.subarray(0, end)), next: null };
}

function inflated(bytes: Uint8Array, chunk: number): Uint8Array {
  try {
    const text: unknown = inflateRawSync(bytes, { finishFlush: SYNC_FLUSH, maxOutputLength: BLOCK_BYTES });
    return plainBytes(text as Uint8Array);
  } catch (error) {
    throw new ArchiveError(`The chunk at byte ${chunk} is damaged: ${(error as Error).message}`);
  }
}

/** zlib's Z_SYNC_FLUSH: the stream does not end with the chunk. */
const SYNC_FLUSH = 2;
