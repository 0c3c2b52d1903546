/** How restores and drills inside the project end, and that nothing is left of them. */
import type { Restore } from "../inside/scene.ts";
import { until } from "../e2e/project.ts";
import type { Scene } from "./scene.ts";

/** Waits until a restore has ended; calls the watch-dog twice a second, where pg_cron does every minute. */
export async function ended({ sql, logged }: Scene, id: number): Promise<Restore> {
  return await watched(sql, `restore ${id} has ended`, async () => {
    const [row] = await sql<{ restore: Restore }[]>`
      select to_jsonb(r) as restore from backup.restores r where id = ${id} and finished_at is not null`;
    return row?.restore ?? null;
  }).catch(async (error) => {
    const rows = JSON.stringify(await sql`select to_jsonb(r) from backup.restores r where id = ${id}`);
    throw new Error(`${error.message}\n${rows}\n${logged.slice(-20).join("\n")}`);
  });
}

/** No database, no role, no schema, no work and no session. */
export async function nothingIsLeft({ sql, superuser }: Scene): Promise<void> {
  await watched(sql, "nothing is left", async () => {
    const left = await superuser`
      select datname as name from pg_database where datname like '%drill%'
      union all select rolname from pg_roles where rolname like '%drill%'
      union all select nspname from pg_namespace where nspname like 'restored%'
      union all select purpose from backup._work() where purpose = 'restore' and (due or pending)
      union all select application_name from pg_stat_activity where application_name like 'supabase-backup%'`;
    return left.length === 0 ? true : null;
  });
}

async function watched<T>(sql: Scene["sql"], what: string, look: () => Promise<T | null>): Promise<T> {
  let last = Date.now();
  return await until(what, async () => {
    if (Date.now() - last > 500) {
      await sql`select backup.watch()`;
      last = Date.now();
    }
    return await look();
  });
}
