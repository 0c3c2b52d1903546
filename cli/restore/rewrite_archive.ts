/**
 * An archive made of another's: entries chosen, changed and added, and the data blocks that they need, as
 * they are.
 */
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { isHeading, type Plan, sqlEntry } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { ArchiveFile } from "../source/archive_file.ts";

const COPY_BYTES = 1024 * 1024;

/** What of a plan an archive is made of. */
export type Rewritten =
  & Pick<Plan, "entries">
  & Partial<Pick<Plan, "before" | "after" | "roles" | "extensionRows">>;

/** Returns all entries, the plan's own statements among them: pg_restore runs these in its transaction. */
export function entriesOf({ entries, before = [], after = [] }: Rewritten): Entry[] {
  let last = entries.reduce((most, { dumpId, dependencies }) => Math.max(most, dumpId, ...dependencies), 0);
  // With several connections only dependencies keep an order.
  const earlier = entries.filter((entry) => entry.section !== "post-data" && !isHeading(entry)).map((
    { dumpId },
  ) => dumpId);
  let previous: number[] = [];
  const chained = entries.filter((entry) => !isHeading(entry)).map((entry) => {
    if (entry.desc !== "SQL") return entry;
    const next = { ...entry, dependencies: [...entry.dependencies, ...previous] };
    previous = [entry.dumpId];
    return next;
  });
  return [
    ...entries.filter(isHeading),
    ...before.map(({ what, sql }) => sqlEntry(++last, what, sql, "pre-data")),
    ...chained,
    ...after.map(({ what, sql }) => sqlEntry(++last, what, sql, "post-data", earlier)),
  ];
}

/**
 * Yields the bytes of an archive of these entries. Blocks come in the order of their entries, which is the
 * order in which pg_restore asks for them: so it can be read from a pipe as well. A piece is valid until the
 * next one is asked for.
 */
export async function* archivePieces(
  archive: ArchiveFile,
  entries: readonly Entry[],
): AsyncGenerator<Uint8Array> {
  const { header, blocks } = archive;
  yield writeHead({
    database: header.database ?? "",
    serverVersion: header.serverVersion ?? "",
    serverVersionNum: 0,
    entries: [...entries],
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
export async function writeArchive(
  archive: ArchiveFile,
  entries: readonly Entry[],
  path: string,
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  for await (const piece of archivePieces(archive, entries)) {
    for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
  }
}
