/** The archive as we write it: the one place that says which program is tried. */
import { closeBlock, COPY_END, openBlock } from "../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import type { Warning } from "../../supabase/functions/backup/toc/entry.ts";

const LEVEL = 4;

/** Writes the archive of a database to a file; answers what it does not hold. */
export async function dumpOurs(url: string, path: string): Promise<Warning[]> {
  const session = await openSession(url);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  const emit = (bytes: Uint8Array) => writer.write(bytes);
  try {
    await beginSnapshot(session);
    const dump = await readDump(session, { lockTimeoutMs: 5000 });
    await emit(writeHead(dump, { createdAt: new Date(), level: LEVEL }));
    const deflater = new SegmentDeflater(LEVEL);
    for (const { dumpId, qualifiedName, columnList, filter } of dump.data) {
      const columns = columnList.slice(1, -1);
      const source = filter === ""
        ? `${qualifiedName} ${columnList}`
        : `(select ${columns} from ${qualifiedName} ${filter})`;
      await emit(openBlock(dumpId));
      await session.copy(`copy ${source} to stdout`, (rows) => deflater.push(rows, emit));
      await deflater.push(COPY_END, emit);
      await emit(closeBlock((await deflater.finish(emit)).adler32));
    }
    await writer.close();
    return dump.warnings;
  } finally {
    await session.close();
  }
}
