/** Checks and removes copies in the second bucket. */
import { MANIFEST_NAME } from "../manifest/manifest.ts";
import type { StoredPart } from "../run/run_client.ts";
import type { S3Bucket } from "../storage/s3/s3_bucket.ts";

/** Returns the names of the objects that are missing there or have another size. */
export async function missingObjects(
  second: S3Bucket,
  folder: string,
  copied: readonly StoredPart[],
): Promise<string[]> {
  const there = new Map((await second.list(folder)).map(({ name, bytes }) => [name, bytes]));
  return copied.filter(({ name, bytes }) => there.get(name) !== bytes).map(({ name }) => name);
}

/**
 * Removes all objects of a copy, the manifest first: what an interruption leaves is not taken for a backup.
 * `withinBudget` is asked before each; returns false when it ended the work.
 */
export async function removeCopy(
  second: S3Bucket,
  folder: string,
  withinBudget: () => boolean,
): Promise<boolean> {
  const names = (await second.list(folder)).map(({ name }) => name);
  const manifestFirst = names.sort((a, b) => Number(b === MANIFEST_NAME) - Number(a === MANIFEST_NAME));
  for (const name of manifestFirst) {
    if (!withinBudget()) return false;
    await second.remove([`${folder}/${name}`]);
  }
  return true;
}
