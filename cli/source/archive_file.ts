/**
 * An archive in a file, read where it is wanted: its entries, and the rows of one table without those of the
 * others.
 */
import { setImmediate } from "node:timers";
import type { ByteSource } from "../../supabase/functions/backup/archive/byte_source.ts";
import type { BlockPlace } from "../../supabase/functions/backup/archive/data_blocks.ts";
import { type OpenArchive, openSource } from "../../supabase/functions/backup/archive/reader.ts";

/** Reads after which everything else has its turn: a signal, a timer. */
const READS_OF_A_TURN = 32;

export interface ArchiveFile extends OpenArchive {
  path: string;
  /** By dump id. */
  blocks: Map<number, BlockPlace>;
}

/** Reads the head and finds the blocks. Throws ArchiveError. */
export async function openArchive(path: string): Promise<ArchiveFile> {
  const archive = await openSource(await fileSource(path));
  return { ...archive, path, blocks: await archive.places() };
}

/**
 * Reads the uncompressed bytes of one table's data block: COPY text and its end. Throws ArchiveError where it
 * is damaged or missing.
 */
export function rowsOf(archive: ArchiveFile, dumpId: number): AsyncGenerator<Uint8Array> {
  return archive.rows(dumpId);
}

/**
 * Reads the large objects of a BLOBS entry; the bytes of each are to be read before the next one is asked
 * for.
 */
export function largeObjectsOf(
  archive: ArchiveFile,
  dumpId: number,
): AsyncGenerator<{ oid: number; bytes: AsyncIterable<Uint8Array> }> {
  return archive.largeObjects(dumpId);
}

/**
 * Opens the file for each read: what it is read for may be left at any time, and nothing has to be closed
 * then. Synchronous: on a busy machine another thread's answer comes later than the bytes.
 */
async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await Deno.stat(path);
  let reads = 0;
  return {
    size,
    async read(offset, length) {
      if (++reads % READS_OF_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      using file = Deno.openSync(path);
      file.seekSync(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(Math.min(length, Math.max(0, size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const read = file.readSync(bytes.subarray(filled));
        if (read === null) break;
        filled += read;
      }
      return bytes.subarray(0, filled);
    },
  };
}
