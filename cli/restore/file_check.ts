/** A single file has no manifest; but each of its data blocks ends with a checksum of its rows, which reading them compares. */
import { ArchiveError } from "../../supabase/functions/backup/archive/primitives.ts";
import { CommandError } from "../terminal.ts";
import { type ArchiveFile, largeObjectsOf, openArchive, rowsOf } from "./archive_file.ts";

/** Opens an archive and reads all of it. Throws CommandError for one that is damaged or incomplete. */
export async function checkedFile(
  path: string,
  onProgress: (done: number, expected: number) => void,
): Promise<ArchiveFile> {
  try {
    const archive = await openArchive(path);
    const { size } = await Deno.stat(path);
    for (const { dumpId, desc, hasData } of archive.entries) {
      if (!hasData) continue;
      if (desc === "BLOBS") {
        for await (const { bytes } of largeObjectsOf(archive, dumpId)) for await (const _ of bytes);
      } else for await (const _ of rowsOf(archive, dumpId));
      onProgress(archive.blocks.get(dumpId)!.end, size);
    }
    return archive;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new CommandError(
      `${path} is damaged or incomplete: ${error.message}`,
      "Nothing was changed. Take the backup's folder in place of it, or another backup.",
      error,
    );
  }
}
