/** Deletes every backup of a project's bucket. */
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import type { Project } from "../project/find_project.ts";
import { findBucket } from "../project/find_bucket.ts";
import { openBucket } from "../project/stored_backups.ts";

/**
 * Deletes the folders that are backups or leftovers of runs, and nothing else. Returns how many. Throws BackupError.
 */
export async function removeBackups(project: Project): Promise<number> {
  const bucket = openBucket(project, await findBucket(project));
  const names = (await bucket.folders()).filter((name) => parseBackupName(name) !== null);
  for (const name of names) {
    const objects = await bucket.list(name);
    await bucket.remove(objects.map((object) => `${name}/${object.name}`));
  }
  return names.length;
}
