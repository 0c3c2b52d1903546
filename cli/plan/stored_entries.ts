/** The table of contents of a stored backup, by which much can be refused before the rest is downloaded. */
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { openStored } from "../../supabase/functions/backup/inspect/stored_archive.ts";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { isWhole, type Wanted } from "../../supabase/functions/backup/restore_plan/context.ts";
import { select } from "../../supabase/functions/backup/restore_plan/select_entries.ts";
import { decryptionOf } from "../source/decryption.ts";
import type { Origin } from "../source/source.ts";

/**
 * Reads the table of contents alone. Null where all of a backup is wanted and its contents cannot be read: the check of
 * its parts, which comes next, says more. Throws BackupError `bad_request` for a wanted table or schema that it does
 * not have, and what openStored() throws.
 */
export async function storedEntries(
  { bucket }: Exclude<Origin, { kind: "file" }>,
  manifest: Manifest,
  wanted: Wanted,
  identity: string | undefined,
): Promise<readonly Entry[] | null> {
  try {
    const { entries } = await openStored(bucket, manifest, await decryptionOf(manifest, identity));
    select(entries, wanted, () => true);
    return entries;
  } catch (error) {
    if (isWhole(wanted)) return null;
    throw error;
  }
}
