/** A database that is backed up and restored by the engine: the source from SQL, the archive by our own dump. */
import { openArchive } from "../../cli/source/archive_file.ts";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import type { RestoreInput } from "../../supabase/functions/backup/restore/plan.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import { dumpOurs } from "../corpus/ours.ts";
import { loadFile, runProgram } from "../corpus/programs.ts";

export interface Scene {
  cluster: Cluster;
  /** Of the target. */
  target: Session;
  /** Major version of the server. */
  version(): Promise<number>;
  /** Makes source and target anew, backs the source up. Returns what a restore needs. */
  backUp(setup: string): Promise<RestoreInput>;
  /** Backs up, restores. */
  trip(setup: string, options?: RestoreInput["options"]): Promise<Account>;
  /** First column of a query of the target. */
  ask(sql: string): Promise<unknown>;
  /** Both databases as pg_dump has them. */
  dumps(): Promise<[source: string, target: string]>;
  stop(): Promise<void>;
}

export async function startScene(settings: Record<string, string> = {}, binDir?: string): Promise<Scene> {
  const cluster = await startCluster({ settings, ...(binDir === undefined ? {} : { binDir }) });
  const folder = await Deno.makeTempDir({ prefix: "engine-" });
  const admin = await openSession(cluster.url());
  let target: Session | null = null;
  const anew = async (name: string) => {
    await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
    await admin.sql.unsafe(`create database ${name} template template0 strategy file_copy`);
  };
  const dump = async (database: string) => {
    const text = await runProgram(cluster, "pg_dump", ["-d", cluster.url(database)]);
    return text.replace(/^\\(un)?restrict \w+$/gm, "").replaceAll(database, "DATABASE");
  };
  const scene: Scene = {
    cluster,
    get target() {
      return target!;
    },
    async version() {
      const [row] = await admin.sql.unsafe<{ number: number }[]>(
        "select current_setting('server_version_num')::int / 10000 as number",
      );
      return row!.number;
    },
    async backUp(setup) {
      await target?.close();
      target = null;
      await anew("source");
      await anew("target");
      await Deno.writeTextFile(`${folder}/setup.sql`, setup);
      await loadFile(cluster, "source", `${folder}/setup.sql`);
      await dumpOurs(cluster.url("source"), `${folder}/archive.dump`);
      target = await openSession(cluster.url("target"));
      await target.sql.unsafe("set search_path = public");
      const archive = await openArchive(`${folder}/archive.dump`);
      return {
        archive,
        plan: { entries: archive.entries },
        open: () => openSession(cluster.url("target")),
      };
    },
    async trip(setup, options) {
      return await restore({ ...await scene.backUp(setup), ...(options ? { options } : {}) });
    },
    async ask(sql) {
      const rows = await target!.sql.unsafe(sql);
      return rows.length === 0 ? undefined : Object.values(rows[0] as object)[0];
    },
    dumps: async () => [await dump("source"), await dump("target")],
    async stop() {
      await target?.close();
      await admin.close();
      await cluster.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return scene;
}
