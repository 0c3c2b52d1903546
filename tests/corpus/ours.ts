/** The archive as we write it: the one place that says which program is tried. */
import { dumpDatabase } from "../../cli/dump.ts";
import type { Warning } from "../../supabase/functions/backup/toc/entry.ts";

/** Writes the archive of a database to a file; answers what it does not hold. */
export async function dumpOurs(url: string, path: string): Promise<Warning[]> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  // Bytes are valid until the write is done.
  const { warnings } = await dumpDatabase(url, (bytes) => writer.write(bytes), { lockTimeoutMs: 5000 });
  await writer.close();
  return warnings;
}
