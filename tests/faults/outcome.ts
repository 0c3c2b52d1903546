/** What must be true after any fault: an equal restore, whole folders, nothing left over. */
import assert from "node:assert/strict";
import postgres from "postgres";
import type { Cluster } from "../../stack/postgres/cluster.ts";
import { startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import type { Project } from "../e2e/project.ts";
import { contentOf, joinParts } from "../e2e/restore.ts";

const NOT_PUBLIC = /^(?!public\.)/;

export interface Restores extends AsyncDisposable {
  /** Restores the tables of `public` into a database of its own; answers rows and a hash of each. */
  restored(name: string): Promise<Record<string, string>>;
  /** The same; answers the database's connection string. */
  restore(name: string): Promise<string>;
}

/** What the project's own tables hold now, in the form of `restored`. */
export function contentNow(project: Project): Promise<Record<string, string>> {
  return contentOf(project.stack.superuserUrl, NOT_PUBLIC);
}

export async function startRestores(project: Project): Promise<Restores> {
  const target = await startRestoreTarget(project.stack.superuserUrl);
  const sql = postgres(target.url(), { max: 1, onnotice: () => {} });
  const folder = await Deno.makeTempDir();
  let count = 0;
  const restore = async (name: string) => {
    const database = `restored_${++count}`;
    await sql.unsafe(`create database ${database} template template0`);
    await joinParts(project.client, name, `${folder}/archive`);
    await restorePublic(target, database, `${folder}/archive`);
    return target.url(database);
  };
  return {
    restore,
    restored: async (name) => await contentOf(await restore(name), NOT_PUBLIC),
    async [Symbol.asyncDispose]() {
      await sql.end();
      await target.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function restorePublic(target: Cluster, database: string, path: string): Promise<void> {
  const restore = new Deno.Command(`${target.binDir}/pg_restore`, {
    args: ["--exit-on-error", "-j", "2", "-n", "public", "-d", target.url(database), path],
  });
  const { success, stderr } = await restore.output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** The bucket holds the backups that the log says are there, each with what its manifest names, and nothing else. */
export async function expectTidy(project: Project): Promise<void> {
  const stored = await project.stored();
  const logged = await project.superuser<{ name: string }[]>`
    select name from backup.log where status = 'succeeded' and removed_at is null order by name`;
  assert.deepEqual(Object.keys(stored).sort(), logged.map(({ name }) => name).sort());
  for (const [name, objects] of Object.entries(stored)) {
    const { data, error } = await project.client.storage.from("backups").download(`${name}/manifest.json`);
    assert.equal(error, null, `${name} has a manifest`);
    const manifest = JSON.parse(await data!.text()) as { parts: { name: string }[] };
    const beside = ["RESTORE.md", "manifest.json", "restore.list", "roles.sql", "storage-inventory.jsonl.gz"];
    assert.deepEqual(objects, [...manifest.parts.map((part) => part.name), ...beside]);
  }
}
