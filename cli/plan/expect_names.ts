/** Names of tables and schemas that a stored backup does not have are refused before it is downloaded. */
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { openStored } from "../../supabase/functions/backup/inspect/stored_archive.ts";
import { MANIFEST_NAME, readManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { isWhole, type Wanted } from "../../supabase/functions/backup/restore_plan/context.ts";
import { select } from "../../supabase/functions/backup/restore_plan/select_entries.ts";
import { decryptionOf } from "../source/decryption.ts";
import type { Origin } from "../source/source.ts";

/**
 * Reads the table of contents alone, and returns it; nothing where no names are wanted. Throws BackupError
 * `bad_request` for a table or schema that it does not have, and what openStored() throws.
 */
export async function expectNames(
  { bucket }: Exclude<Origin, { kind: "file" }>,
  name: string,
  wanted: Wanted,
  identity: string | undefined,
): Promise<readonly Entry[]> {
  if (isWhole(wanted)) return [];
  const manifest = readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`));
  const { entries } = await openStored(bucket, manifest, await decryptionOf(manifest, identity));
  select(entries, wanted, () => true);
  return entries;
}
