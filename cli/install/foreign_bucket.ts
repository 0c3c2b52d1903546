/** Is the bucket of the settings somebody else's? */
import type { Sql } from "postgres";

/** What a person can do about it. */
export const OTHER_BUCKET =
  "Choose another bucket: `select backup.configure(bucket => 'project-backups');`. Then run the command again.";

/** Returns why the bucket is not for backups; null where nothing says so. A bucket of ours may have become public. */
export async function foreignBucket(sql: Sql, installed: boolean): Promise<string | null> {
  const [found] = await sql<{ ready: boolean }[]>`
    select to_regclass('backup.settings') is not null and to_regclass('storage.objects') is not null as ready`;
  if (!found!.ready) return null;
  const [row] = await sql<{ bucket: string; public: boolean; object: string | null }[]>`
    select s.bucket, exists (select from storage.buckets b where b.id = s.bucket and b.public) as public, (
      select min(o.name) from storage.objects o
      where o.bucket_id = s.bucket and o.name !~ '^backup-[0-9]{8}-[0-9]{6}(-[0-9]+)?/'
    ) as object
    from (select coalesce((select s.bucket from backup.settings s), 'backups') as bucket) s`;
  const { bucket, object } = row!;
  if (object !== null) return `The bucket "${bucket}" holds "${object}", which is not part of a backup`;
  return row!.public && !installed ? `The bucket "${bucket}" is public` : null;
}
