/** Puts the files that a backup's inventory lists back into Storage, from the second copy. */
import { gunzipSync } from "node:zlib";
import { createClient } from "@supabase/supabase-js";
import { fileKey } from "../../supabase/functions/backup/copy/copy_files.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { BucketError, joined } from "../../supabase/functions/backup/storage/bucket.ts";
import type { S3Bucket } from "../../supabase/functions/backup/storage/s3/s3_bucket.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { decryptionOf } from "../source/decryption.ts";
import { count } from "../terminal/format.ts";
import type { Project } from "../project/find_project.ts";
import { CommandError } from "../terminal/errors.ts";
import { note } from "../terminal/output.ts";

/** A line of the inventory: what a restore needs of it. */
export interface ListedFile {
  bucket: string;
  name: string;
  size: number | null;
  type: string | null;
}

/** Reads the inventory of a backup. Throws CommandError for a backup that has none, and for a damaged one. */
export async function readInventory(
  second: S3Bucket,
  name: string,
  identity: string | undefined,
): Promise<ListedFile[]> {
  const manifest: Manifest = readManifest(await second.get(`${name}/${MANIFEST_NAME}`));
  const { inventory } = manifest;
  if (inventory === undefined) {
    throw new CommandError(`Backup ${name} has no inventory of files`, "Name a later backup: --backup NAME.");
  }
  const stored = await second.get(`${name}/${inventory.name}`);
  if (await sha256Hex(stored) !== inventory.sha256) {
    throw new CommandError(
      `${name}/${inventory.name} differs from the manifest`,
      "The inventory is damaged. Name another backup: --backup NAME.",
    );
  }
  const decrypt = await decryptionOf(manifest, identity);
  const plain = decrypt === null ? stored : await decrypt(inventory.name, stored);
  const lines = new TextDecoder().decode(gunzipSync(plain) as unknown as Uint8Array).split("\n");
  if (!inventory.complete) {
    note(`the inventory lists the first ${count(inventory.objects)} files only`);
  }
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ListedFile);
}

/** Uploads the files; returns those that could not be, and why. */
export async function putBack(
  second: S3Bucket,
  { url, secretKey }: Project,
  wanted: readonly ListedFile[],
  onFile: (done: number, name: string) => void,
): Promise<string[]> {
  const { storage } = createClient(url, secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const failed: string[] = [];
  for (const [index, { bucket, name, size, type }] of wanted.entries()) {
    onFile(index, name);
    const file = await fromSecond(second, { bucket, name });
    if (file === null) {
      failed.push(`${bucket}/${name} is not in the second copy`);
      continue;
    }
    if (size !== null && size !== file.length) {
      note(`${bucket}/${name} has changed since the backup`);
    }
    const path = name.split("/").map(encodeURIComponent).join("/");
    const options = { upsert: true, contentType: type ?? "application/octet-stream" };
    const { error } = await storage.from(bucket).upload(path, file, options);
    if (error) failed.push(`${bucket}/${name}: ${error.message}`);
  }
  return failed;
}

/** Returns null for a file that was never copied: it was too large, or was not in Storage at that time. */
async function fromSecond(
  second: S3Bucket,
  file: { bucket: string; name: string },
): Promise<Uint8Array | null> {
  try {
    return await second.readFile(fileKey(file), joined);
  } catch (error) {
    if (error instanceof BucketError && error.failure === "missing") return null;
    throw error;
  }
}
