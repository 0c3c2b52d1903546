/** Reads an archive from front to back: header, entries, data blocks. */
import { createInflate, type Inflate } from "node:zlib";
import type { Entry } from "../toc/entry.ts";
import { BLOCK_BLOBS, BLOCK_DATA } from "./block.ts";
import { type Header, readHeader } from "./header.ts";
import { ArchiveError, ByteReader, type ReadBytes } from "./primitives.ts";
import { readEntry } from "./table_of_contents.ts";

export interface DataBlock {
  dumpId: number;
  /** OID of the large object whose bytes these are: a block of large objects comes as one for each. */
  largeObject: number | null;
  /**
   * The uncompressed bytes, to be read before the next block is asked for. Fails with ArchiveError where the zlib stream is
   * damaged: inflate checks its Adler-32.
   */
  rows: AsyncIterable<Uint8Array>;
}

export interface Archive {
  header: Header;
  entries: Entry[];
  /** Data blocks in the order of the file. */
  blocks: AsyncIterable<DataBlock>;
}

/** Throws ArchiveError for bytes that are no archive of ours, or end too early. */
export async function readArchive(read: ReadBytes): Promise<Archive> {
  const reader = new ByteReader(read);
  const header = await readHeader(reader);
  const entries: Entry[] = [];
  for (let index = 0; index < header.entryCount; index++) {
    entries.push(await readEntry(reader));
  }
  return { header, entries, blocks: readBlocks(reader) };
}

/** Makes a ReadBytes of a stream of pieces of any size. */
export function bytesFrom(pieces: AsyncIterable<Uint8Array>): ReadBytes {
  const iterator = pieces[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return async (length) => {
    const wanted: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (rest.length === 0) {
        const { value, done } = await iterator.next();
        if (done) break;
        rest = value;
        continue;
      }
      const here = rest.subarray(0, missing);
      wanted.push(here);
      missing -= here.length;
      rest = rest.subarray(here.length);
    }
    if (wanted.length === 1) return wanted[0]!;
    const joined = new Uint8Array(length - missing);
    let position = 0;
    for (const piece of wanted) {
      joined.set(piece, position);
      position += piece.length;
    }
    return joined;
  };
}

async function* readBlocks(reader: ByteReader): AsyncGenerator<DataBlock> {
  for (
    let type = await reader.byteOrEnd();
    type !== null;
    type = await reader.byteOrEnd()
  ) {
    if (type !== BLOCK_DATA && type !== BLOCK_BLOBS) {
      throw new ArchiveError(
        `Byte ${reader.position - 1} begins no data block: ${type}`,
      );
    }
    const dumpId = await reader.int();
    let oid = type === BLOCK_BLOBS ? await reader.int() : null;
    while (oid !== 0) {
      const rows = inflated(chunks(reader), dumpId);
      yield { dumpId, largeObject: oid === null ? null : oid >>> 0, rows };
      // Whoever skipped the rows still wants the next block.
      for await (const _ of rows);
      if (oid === null) break;
      oid = await reader.int();
    }
  }
}

async function* chunks(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (
    let length = await reader.int();
    length !== 0;
    length = await reader.int()
  ) {
    if (length < 0) {
      throw new ArchiveError(
        `The chunk before byte ${reader.position} has a negative length`,
      );
    }
    yield await reader.raw(length);
  }
}

async function* inflated(compressed: AsyncIterable<Uint8Array>, dumpId: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflate();
  const fed = feed(inflate, compressed);
  try {
    for await (const bytes of inflate) yield bytes;
  } catch (error) {
    throw new ArchiveError(
      `The data block of entry ${dumpId} is damaged: ${(error as Error).message}`,
    );
  }
  await fed;
}

async function feed(inflate: Inflate, compressed: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const bytes of compressed) {
      if (!inflate.write(bytes)) {
        await new Promise((resolve) => inflate.once("drain", resolve));
      }
    }
    inflate.end();
  } catch (error) {
    inflate.destroy(error as Error);
  }
}
