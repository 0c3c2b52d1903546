/** An archive in a file, read where it is wanted: its entries, and the rows of one table without those of the others. */
import { createInflate } from "node:zlib";
import { BLOCK_BLOBS, BLOCK_DATA } from "../../supabase/functions/backup/archive/block.ts";
import { type Header, readHeader } from "../../supabase/functions/backup/archive/header.ts";
import { ArchiveError, ByteReader } from "../../supabase/functions/backup/archive/primitives.ts";
import { readEntry } from "../../supabase/functions/backup/archive/table_of_contents.ts";
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";

/** Where a data block lies in the file, and what its chunks hold together. */
export interface BlockPlace {
  begin: number;
  end: number;
  /** Compressed bytes. */
  bytes: number;
}

export interface ArchiveFile {
  path: string;
  header: Header;
  entries: Entry[];
  /** Where the table of contents ends and the data blocks begin. */
  dataBegin: number;
  /** By dump id. */
  blocks: Map<number, BlockPlace>;
}

const READ_BYTES = 256 * 1024;

/** Reads the head and finds the blocks by their chunks' lengths, without reading the rows. Throws ArchiveError. */
export async function openArchive(path: string): Promise<ArchiveFile> {
  using file = await Deno.open(path);
  const reader = new ByteReader(buffered(file));
  const header = await readHeader(reader);
  const entries: Entry[] = [];
  for (let index = 0; index < header.entryCount; index++) entries.push(await readEntry(reader));
  const dataBegin = reader.position;
  return { path, header, entries, dataBegin, blocks: await findBlocks(file, dataBegin) };
}

/** The uncompressed bytes of one table's data block: COPY text and its end. Throws ArchiveError where it is damaged or missing. */
export async function* rowsOf(archive: ArchiveFile, dumpId: number): AsyncGenerator<Uint8Array> {
  using file = await openBlock(archive, dumpId);
  const reader = new ByteReader(buffered(file));
  if (await reader.byte() !== BLOCK_DATA) throw new ArchiveError(`Entry ${dumpId} is not a table's data`);
  await reader.int();
  yield* inflated(reader, dumpId);
}

/** The large objects of a BLOBS entry; the bytes of each are to be read before the next one is asked for. */
export async function* largeObjectsOf(
  archive: ArchiveFile,
  dumpId: number,
): AsyncGenerator<{ oid: number; bytes: AsyncIterable<Uint8Array> }> {
  using file = await openBlock(archive, dumpId);
  const reader = new ByteReader(buffered(file));
  if (await reader.byte() !== BLOCK_BLOBS) throw new ArchiveError(`Entry ${dumpId} holds no large objects`);
  await reader.int();
  for (let oid = await reader.int(); oid !== 0; oid = await reader.int()) {
    // pg_dump writes OIDs as signed integers.
    yield { oid: oid >>> 0, bytes: inflated(reader, dumpId) };
  }
}

async function openBlock({ path, blocks }: ArchiveFile, dumpId: number): Promise<Deno.FsFile> {
  const place = blocks.get(dumpId);
  if (place === undefined) throw new ArchiveError(`Entry ${dumpId} has no data block`);
  const file = await Deno.open(path);
  await file.seek(place.begin, Deno.SeekMode.Start);
  return file;
}

/** One zlib stream, from its first chunk to the zero behind its last. */
async function* inflated(reader: ByteReader, dumpId: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflate();
  const fed = (async () => {
    try {
      for (let length = await reader.int(); length !== 0; length = await reader.int()) {
        if (inflate.write(await reader.raw(length))) continue;
        await new Promise((resolve) => {
          inflate.once("drain", resolve);
          inflate.once("close", resolve);
        });
      }
      inflate.end();
    } catch (error) {
      inflate.destroy(error as Error);
    }
  })();
  try {
    for await (const bytes of inflate) yield bytes;
  } catch (error) {
    throw new ArchiveError(`The data block of entry ${dumpId} is damaged: ${(error as Error).message}`);
  } finally {
    inflate.destroy();
    await fed;
  }
}

async function findBlocks(file: Deno.FsFile, begin: number): Promise<Map<number, BlockPlace>> {
  const { size } = await file.stat();
  const blocks = new Map<number, BlockPlace>();
  const bytes = new Uint8Array(6);
  const view = new DataView(bytes.buffer);
  const at = async (position: number, length: number) => {
    if (position + length > size) {
      throw new ArchiveError(`The archive ends at byte ${size}, in the middle of a data block`);
    }
    await file.seek(position, Deno.SeekMode.Start);
    for (let filled = 0; filled < length;) filled += await file.read(bytes.subarray(filled, length)) ?? 0;
  };
  for (let position = begin; position < size;) {
    await at(position, 6);
    const type = bytes[0];
    const dumpId = view.getUint32(2, true);
    if (type !== BLOCK_DATA && type !== BLOCK_BLOBS) {
      throw new ArchiveError(`Byte ${position} begins no data block: ${type}`);
    }
    const place = { begin: position, end: 0, bytes: 0 };
    position += 6;
    // A block of large objects is a list of such runs of chunks, each behind its OID, and ends with the OID 0.
    let inObject = type === BLOCK_DATA;
    while (true) {
      await at(position, 5);
      const value = view.getUint32(1, true);
      position += 5;
      if (!inObject) {
        if (value === 0) break;
        inObject = true;
      } else if (value === 0) {
        if (type === BLOCK_DATA) break;
        inObject = false;
      } else {
        place.bytes += value;
        position += value;
      }
    }
    blocks.set(dumpId, { ...place, end: position });
  }
  return blocks;
}

/** Reads ahead: the head is made of thousands of small fields. */
function buffered(file: Deno.FsFile): (length: number) => Promise<Uint8Array> {
  const buffer = new Uint8Array(READ_BYTES);
  let from = 0;
  let until = 0;
  return async (length) => {
    if (until - from >= length) return buffer.slice(from, from += length);
    const wanted = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (from === until) {
        from = 0;
        until = await file.read(buffer) ?? 0;
        if (until === 0) break;
      }
      const here = buffer.subarray(from, Math.min(until, from + length - filled));
      wanted.set(here, filled);
      filled += here.length;
      from += here.length;
    }
    return wanted.subarray(0, filled);
  };
}
