/** Which bucket of a project has its backups: asked of Storage, for database and function may be gone. */
import { createClient } from "@supabase/supabase-js";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import { note } from "../terminal/output.ts";
import type { Project } from "./find_project.ts";
import { BUCKET } from "./stored_backups.ts";

/** Names another bucket than the one with the newest backup. */
const VARIABLE = "BACKUP_BUCKET";

/** Returns the bucket with the newest backup, or the one that BACKUP_BUCKET names. */
export async function findBucket({ url, secretKey }: Project): Promise<string> {
  const named = Deno.env.get(VARIABLE);
  if (named) return named;
  const { storage } = createClient(url, secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data } = await storage.listBuckets();
  const newest = await Promise.all((data ?? []).map(async ({ name }) => {
    const options = { limit: 1, search: "backup-2", sortBy: { column: "name", order: "desc" } };
    const { data } = await storage.from(name).list("", options);
    return { name, backup: data?.[0]?.name ?? "" };
  }));
  const [first, ...others] = newest.filter(({ backup }) => parseBackupName(backup) !== null)
    .sort((a, b) => a.backup < b.backup ? 1 : -1);
  // Whatever is wrong is said by the first request for a backup.
  if (first === undefined) return BUCKET;
  for (const { name, backup } of others) {
    note(`bucket "${name}" has backups too, until ${backup}; to use them, set ${VARIABLE}=${name}`);
  }
  return first.name;
}
