/** An archive made of another's: entries chosen, changed and added, and the data blocks that they need, as they are. */
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import type { Entry, Section } from "../../supabase/functions/backup/toc/entry.ts";
import type { ArchiveFile } from "./archive_file.ts";

const COPY_BYTES = 1024 * 1024;

/** An entry that runs SQL of ours inside pg_restore's own transaction. pg_restore runs the text of a kind it does not know as it is. */
export function sqlEntry(
  dumpId: number,
  tag: string,
  definition: string,
  section: Section,
  dependencies: number[] = [],
): Entry {
  return {
    ...{
      dumpId,
      tableoid: 0,
      oid: 0,
      tag,
      desc: "SQL",
      section,
      definition,
      drop: null,
      copy: null,
      namespace: null,
    },
    ...{ tablespace: null, tableam: null, owner: null, dependencies, hasData: false },
  };
}

/**
 * Its bytes. Blocks come in the order of their entries, which is the order in which pg_restore asks for them: so it can be read
 * from a pipe as well. A piece is valid until the next one is asked for.
 */
export async function* preparedPieces(
  archive: ArchiveFile,
  entries: readonly Entry[],
): AsyncGenerator<Uint8Array> {
  const { header, blocks } = archive;
  yield writeHead({
    database: header.database ?? "",
    serverVersion: header.serverVersion ?? "",
    serverVersionNum: 0,
    entries: [...entries],
    data: [],
    warnings: [],
  }, { createdAt: header.createdAt, level: header.compression });
  using source = await Deno.open(archive.path);
  const buffer = new Uint8Array(COPY_BYTES);
  for (const { dumpId, hasData } of entries) {
    if (!hasData) continue;
    const { begin, end } = blocks.get(dumpId)!;
    await source.seek(begin, Deno.SeekMode.Start);
    for (let left = end - begin; left > 0;) {
      const read = await source.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (read === null) throw new Error(`${archive.path} became shorter while it was read`);
      yield buffer.subarray(0, read);
      left -= read;
    }
  }
}

/** Writes it to `path`, which only its owner may read: several connections need a file. */
export async function writePrepared(
  archive: ArchiveFile,
  entries: readonly Entry[],
  path: string,
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  for await (const piece of preparedPieces(archive, entries)) {
    for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
  }
}
