/** Checks an archive without its manifest: each data block ends with a checksum of its rows. */
import { ArchiveError } from "../../supabase/functions/backup/archive/primitives.ts";
import { CommandError } from "../terminal/errors.ts";
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
      "Nothing was changed. Use the backup's folder instead, or another backup.",
      error,
    );
  }
}
