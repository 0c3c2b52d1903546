/** Reads an archive's head back before the backup counts as verified. */
import { OWN_VERSION } from "../archive/header.ts";
import { ArchiveError } from "../archive/primitives.ts";
import { bytesFrom, readArchive } from "../archive/reader.ts";
import { BackupError } from "../errors.ts";

/**
 * Checks that `head`, the bytes of the first part (of the first parts, where the table of contents is longer than one),
 * is a header and a table of contents of `entries` entries with dump ids of their own, and nothing else. Throws
 * BackupError `verification_failed`.
 */
export async function checkHead(head: Uint8Array | readonly Uint8Array[], entries: number): Promise<void> {
  try {
    await expectEntries(head instanceof Uint8Array ? [head] : head, entries);
  } catch (error) {
    // ArchiveError, or TypeError for a text that is not UTF-8.
    throw new BackupError(
      "verification_failed",
      `Cannot read the archive's table of contents back: ${(error as Error).message}`,
      "This is a bug of the backup, not a fault of Storage. Please report it.",
      error,
    );
  }
}

async function expectEntries(head: readonly Uint8Array[], expected: number): Promise<void> {
  const bytes = bytesFrom((async function* () {
    for (const part of head) yield await Promise.resolve(part);
  })());
  const { entries } = await readArchive(bytes, OWN_VERSION);
  if (entries.length !== expected) {
    throw new ArchiveError(`it has ${entries.length} entries instead of ${expected}`);
  }
  if (new Set(entries.map(({ dumpId }) => dumpId)).size !== expected) {
    throw new ArchiveError("two entries share a dump id");
  }
  if ((await bytes(1)).length > 0) throw new ArchiveError("bytes follow it in its part");
}
