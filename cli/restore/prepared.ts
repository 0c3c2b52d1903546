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

/** Writes it to `path`, which only its owner may read. Blocks stay in the order of the file. */
export async function writePrepared(
  archive: ArchiveFile,
  entries: readonly Entry[],
  path: string,
): Promise<void> {
  const { header, blocks } = archive;
  const head = writeHead({
    database: header.database ?? "",
    serverVersion: header.serverVersion ?? "",
    serverVersionNum: 0,
    entries: [...entries],
    data: [],
    locked: [],
    warnings: [],
  }, { createdAt: header.createdAt, level: header.compression });
  using source = await Deno.open(archive.path);
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  await writeAll(file, head);
  const buffer = new Uint8Array(COPY_BYTES);
  const wanted = entries.filter(({ hasData }) => hasData).map(({ dumpId }) => blocks.get(dumpId)!);
  for (const { begin, end } of wanted.sort((a, b) => a.begin - b.begin)) {
    await source.seek(begin, Deno.SeekMode.Start);
    for (let left = end - begin; left > 0;) {
      const read = await source.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (read === null) throw new Error(`${archive.path} became shorter while it was read`);
      await writeAll(file, buffer.subarray(0, read));
      left -= read;
    }
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}
