/** The archive as we write it: the one place that says which program is tried. */
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import type { Warning } from "../../supabase/functions/backup/entry.ts";

/** They are about what the archive holds: pg_dump says nothing of it. */
const BEYOND_PG_DUMP = new Set(["extension_rows", "may_not_restore"]);

/** Writes the archive of a database to a file; returns what it does not hold. */
export async function dumpOurs(url: string, path: string): Promise<Warning[]> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  // Bytes are valid until the write is done.
  const { warnings } = await dumpDatabase(url, (bytes) => writer.write(bytes), { lockTimeoutMs: 5000 });
  await writer.close();
  return warnings.filter(({ code }) => !BEYOND_PG_DUMP.has(code));
}
