/** The backups that a bucket holds, read from their manifests. */
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { hasLostManifest } from "../../supabase/functions/backup/manifest/companions.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import { type Bucket, BucketError } from "../../supabase/functions/backup/storage/bucket.ts";
import { retrying } from "../../supabase/functions/backup/storage/retry.ts";
import { supabaseBucket } from "../../supabase/functions/backup/storage/supabase/supabase_bucket.ts";
import { commandLine } from "../terminal/called_as.ts";
import type { Project } from "./find_project.ts";

/** The bucket of backups, unless settings.bucket names another one, which findBucket() finds. */
export const BUCKET = "backups";

/** A folder of the bucket: a backup where it has a manifest, otherwise a leftover or a run in progress. */
export interface StoredBackup {
  name: string;
  files: number;
  storedBytes: number;
  manifest: Manifest | null;
  /** Why the manifest cannot be read, or is gone; null where it can be, and where there was none. */
  damage: string | null;
  /** Parts that are missing or have another size than the manifest says. */
  wrongParts: string[];
}

/** Returns the bucket of the backups; it repeats requests where that may help. */
export function openBucket({ url, secretKey }: Project, bucket = BUCKET): Bucket {
  return retrying(supabaseBucket({ url, key: secretKey, bucket }));
}

/** Returns all backups, newest first. Throws BackupError where the bucket cannot be read. */
export async function listBackups(bucket: Bucket): Promise<StoredBackup[]> {
  const names = (await bucket.folders()).filter((name) => parseBackupName(name) !== null);
  const backups = await Promise.all(names.map((name) => readBackup(bucket, name)));
  return backups.sort((a, b) => b.name.localeCompare(a.name));
}

/** Reads the manifest of one backup. Throws what the bucket throws. */
export async function readBackup(bucket: Bucket, name: string): Promise<StoredBackup> {
  const files = await bucket.list(name);
  const found: StoredBackup = {
    name,
    files: files.length,
    storedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    manifest: null,
    damage: hasLostManifest(files.map((file) => file.name))
      ? `${MANIFEST_NAME} is missing; \`${commandLine("log", "--rebuild")}\` makes it anew from the parts`
      : null,
    wrongParts: [],
  };
  if (!files.some((file) => file.name === MANIFEST_NAME)) return found;
  try {
    const manifest = readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`));
    const sizes = new Map(files.map((file) => [file.name, file.bytes]));
    const wrong = manifest.parts.filter((part) => sizes.get(part.name) !== part.bytes);
    return { ...found, manifest, wrongParts: wrong.map((part) => part.name) };
  } catch (error) {
    // Rotation removes the manifest first.
    if (error instanceof BucketError && error.failure === "missing") return found;
    if (!(error instanceof BackupError) || error.code !== "manifest_invalid") throw error;
    return { ...found, damage: error.message };
  }
}
