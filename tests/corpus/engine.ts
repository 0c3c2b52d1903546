/** Our own engine, beside pg_restore. */
import { openArchive } from "../../cli/source/archive_file.ts";
import type { Cluster } from "../../stack/postgres/cluster.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";

/** Restores an archive whole. Returns in words what did not come back as it was, null when all did. */
export async function restoreByEngine(
  cluster: Cluster,
  path: string,
  database: string,
  jobs = 1,
): Promise<string | null> {
  const archive = await openArchive(path);
  const account = await restore({
    archive,
    plan: { entries: archive.entries },
    open: () => openSession(cluster.url(database)),
    options: { jobs },
  });
  return account.outcome === "restored" ? null : JSON.stringify(account, null, 2);
}
