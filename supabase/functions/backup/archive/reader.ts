/** Reads an archive: its head and, from front to back or where they are wanted, its data blocks. */
import type { Entry } from "../entry.ts";
import { BLOCK_BLOBS, BLOCK_DATA } from "./block.ts";
import { type ByteSource, SourceReader } from "./byte_source.ts";
import { type BlockPlace, contentOf, findBlocks, readBlockStart } from "./data_blocks.ts";
import { ANY_VERSION, type Header, readHeader } from "./header.ts";
import { ArchiveError, ByteReader, OFFSET_SET, type ReadBytes } from "./primitives.ts";
import { readEntry } from "./table_of_contents.ts";

export interface DataBlock {
  dumpId: number;
  /** OID of the large object whose bytes these are: a block of large objects comes as one for each. */
  largeObject: number | null;
  /**
   * The uncompressed bytes, to be read before the next block is asked for. Fails with ArchiveError where they are
   * damaged.
   */
  rows: AsyncIterable<Uint8Array>;
}

export interface Head {
  header: Header;
  entries: Entry[];
}

export interface Archive extends Head {
  /** Data blocks in the order of the file. */
  blocks: AsyncIterable<DataBlock>;
}

/** An archive whose blocks can be read in any order, several at a time. */
export interface OpenArchive extends Head {
  /** Where the table of contents ends and the data blocks begin. */
  dataBegin: number;
  /** Finds all blocks, once, by dump id. Throws ArchiveError. */
  places(): Promise<Map<number, BlockPlace>>;
  /** Reads the uncompressed bytes of one table's data block: COPY text and its end. Throws ArchiveError. */
  rows(dumpId: number): AsyncGenerator<Uint8Array>;
  /** Reads the large objects of a BLOBS entry; the bytes of each are to be read before the next one is asked for. */
  largeObjects(dumpId: number): AsyncGenerator<{ oid: number; bytes: AsyncIterable<Uint8Array> }>;
}

/** Throws ArchiveError for bytes that are not an archive in the custom format, or end too early. */
export async function readArchive(
  read: ReadBytes,
  versions: readonly [number, number] = ANY_VERSION,
): Promise<Archive> {
  const reader = new ByteReader(read);
  const { header, entries } = await readHead(reader, versions);
  return { header, entries, blocks: readBlocks(reader, header.compression !== 0) };
}

/**
 * Finds where the data block of an entry begins, more cheaply than by reading all of the archive; undefined where it
 * cannot.
 */
export type Locate = (dumpId: number, head: Head & { dataBegin: number }) => Promise<number | undefined>;

/** Reads the head of a source. Throws ArchiveError. */
export async function openSource(source: ByteSource, locate?: Locate): Promise<OpenArchive> {
  const reader = new SourceReader(source);
  const { header, entries, offsets } = await readHead(reader);
  const dataBegin = reader.position;
  const compressed = header.compression !== 0;
  let found: Promise<Map<number, BlockPlace>> | undefined;
  const places = () => found ??= findBlocks(source, dataBegin, withData(entries));
  const open = async (dumpId: number, type: number) => {
    // Only pg_dump to a file knows where its blocks are.
    const begin = offsets.get(dumpId) ?? await locate?.(dumpId, { header, entries, dataBegin }) ??
      (await places()).get(dumpId)?.begin;
    if (begin === undefined) throw new ArchiveError(`Entry ${dumpId} has no data block`);
    const block = new SourceReader(source, begin);
    const start = await readBlockStart(block);
    if (start?.type !== type || start.dumpId !== dumpId) {
      throw new ArchiveError(`Byte ${begin} does not begin the data block of entry ${dumpId}`);
    }
    return block;
  };
  return {
    header,
    entries,
    dataBegin,
    places,
    async *rows(dumpId) {
      yield* contentOf(await open(dumpId, BLOCK_DATA), compressed, dumpId);
    },
    async *largeObjects(dumpId) {
      const block = await open(dumpId, BLOCK_BLOBS);
      for (let oid = await block.int(); oid !== 0; oid = await block.int()) {
        const bytes = contentOf(block, compressed, dumpId);
        // pg_dump writes OIDs as signed integers.
        yield { oid: oid >>> 0, bytes };
        // A consumer that skipped the bytes still wants the next object.
        for await (const _ of bytes);
      }
    },
  };
}

/** Returns the dump ids of the entries that have a data block. */
function withData(entries: readonly Entry[]): Set<number> {
  return new Set(entries.filter(({ hasData }) => hasData).map(({ dumpId }) => dumpId));
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

/** Reads header and entries, and where the archive says that their blocks begin. */
async function readHead(
  reader: ByteReader,
  versions?: readonly [number, number],
): Promise<Head & { offsets: Map<number, number> }> {
  const header = await readHeader(reader, versions);
  const entries: Entry[] = [];
  const offsets = new Map<number, number>();
  for (let index = 0; index < header.entryCount; index++) {
    const { entry, offset } = await readEntry(reader, header.minor);
    entries.push(entry);
    if (offset.flag === OFFSET_SET) offsets.set(entry.dumpId, offset.position);
  }
  return { header, entries, offsets };
}

async function* readBlocks(reader: ByteReader, compressed: boolean): AsyncGenerator<DataBlock> {
  for (let start = await readBlockStart(reader); start !== null; start = await readBlockStart(reader)) {
    const { type, dumpId } = start;
    let oid = type === BLOCK_BLOBS ? await reader.int() : null;
    while (oid !== 0) {
      const rows = contentOf(reader, compressed, dumpId);
      yield { dumpId, largeObject: oid === null ? null : oid >>> 0, rows };
      // A consumer that skipped the rows still wants the next block.
      for await (const _ of rows);
      if (oid === null) break;
      oid = await reader.int();
    }
  }
}
