/** A second server to restore a project's backup into: its roles, an empty database, nothing else. */
import postgres from "postgres";
import { type Cluster, startCluster } from "./cluster.ts";

/** The database that backups are restored into. pg_cron takes one database a server, named before it starts. */
export const RESTORED = "restored";

/** Settings of a server that backups are restored into. */
export const RESTORE_SETTINGS = {
  shared_preload_libraries: "pg_cron",
  "cron.database_name": RESTORED,
  "cron.use_background_workers": "off",
  // Jobs of the backup must not run here.
  "cron.launch_active_jobs": "off",
  wal_level: "logical",
  // A restore is one transaction, which keeps what it locks: several locks for each table.
  max_locks_per_transaction: "1024",
};

/**
 * Starts a server with an empty database and, where there is a `source`, that server's roles, which may not log in.
 * With the roles there pg_restore needs no option to restore owners and grants as they were.
 */
export async function startRestoreTarget(source?: string): Promise<Cluster> {
  const target = await startCluster({ superuser: "supabase_admin", settings: RESTORE_SETTINGS });
  const [to, from] = [target.url(), ...(source === undefined ? [] : [source])]
    .map((url) => postgres(url, { max: 1, onnotice: () => {} }));
  try {
    const roles = !from ? [] : await from<{ name: string; attributes: string }[]>`
      select quote_ident(rolname) as name, case when rolbypassrls then 'bypassrls' else '' end as attributes
      from pg_roles where rolname !~ '^pg_' and rolname <> 'supabase_admin'`;
    for (const { name, attributes } of roles) await to!.unsafe(`create role ${name} nologin ${attributes}`);
    await to!.unsafe(`create database ${RESTORED} template template0`);
    return target;
  } catch (error) {
    await target.stop();
    throw error;
  } finally {
    await Promise.all([from?.end(), to!.end()]);
  }
}
