/** Opens a backup for looking into it: nothing is downloaded but what is read. */
import { openStored } from "../../supabase/functions/backup/inspect/stored_archive.ts";
import type { OpenArchive } from "../../supabase/functions/backup/archive/reader.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import { openArchive } from "../source/archive_file.ts";
import { refuseEncrypted } from "../source/decrypt_archive.ts";
import { decryptionOf } from "../source/decryption.ts";
import { compareWithLog } from "../source/logged_manifest.ts";
import { chooseBackup, findOrigin, logOf, type Origin } from "../source/source.ts";

export interface OpenBackup {
  /** Its name; of a single archive the path. */
  name: string;
  /** Null for a single archive. */
  manifest: Manifest | null;
  archive: OpenArchive;
}

/**
 * Opens what a person named: `latest` or a backup's name, looked up in `from`; otherwise a file, a folder or an address
 * by itself. Throws CommandError where there is no such backup, where its manifest is not the one of the log, and where
 * `identity` does not open it.
 */
export async function openNamed(wanted: string, from?: string, identity?: string): Promise<OpenBackup> {
  const isName = wanted === "latest" || parseBackupName(wanted) !== null;
  const origin = await findOrigin(isName ? from : wanted);
  return await openBackup(origin, isName ? wanted : "latest", identity);
}

/** Opens a backup of a place by its name, or `latest`. Throws as openNamed(). */
export async function openBackup(origin: Origin, wanted: string, identity?: string): Promise<OpenBackup> {
  if (origin.kind === "file") {
    await refuseEncrypted(origin.path);
    return { name: origin.path, manifest: null, archive: await openArchive(origin.path) };
  }
  const name = await chooseBackup(origin, wanted);
  const stored = await origin.bucket.get(`${name}/${MANIFEST_NAME}`);
  const manifest = readManifest(stored);
  await compareWithLog(stored, manifest, await logOf(origin, manifest));
  const decrypt = await decryptionOf(manifest, identity);
  return { name, manifest, archive: await openStored(origin.bucket, manifest, decrypt) };
}
