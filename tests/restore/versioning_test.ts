/** Histories of rows come back with a backup, and go on in the copy as if nothing had happened. */
import assert from "node:assert/strict";
import postgres, { type Sql } from "postgres";
import { makePlan, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { fetchSource } from "../../cli/source/source.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startStack } from "../../stack/stack.ts";
import { startProject } from "../e2e/project.ts";
import { originOf } from "./scene.ts";

const PLAYS = `
  create table public.plays (id int primary key, gone text, title text not null, tags text[] not null default '{}');
  insert into public.plays values (1, 'x', 'Hamlet', '{old}'), (2, 'x', 'Medea', '{}');
  select versioning.track('public.plays');
  update public.plays set title = 'Hamlet, again' where id = 1;
  -- Numbers of columns are others in a table that is made anew.
  alter table public.plays drop column gone;
  update public.plays set title = 'overwritten', tags = '{new}' where id = 1;
  delete from public.plays where id = 2;
`;

async function history(sql: Sql): Promise<unknown[]> {
  return [...await sql`select to_jsonb(r) as record from versioning.records r order by id`];
}

async function versions(sql: Sql, key: string): Promise<{ version: string; operation: string }[]> {
  return await sql`select version, operation from versioning.versions('public.plays', ${key}) order by version`;
}

Deno.test("histories survive a restore into a new project", async (test) => {
  const folder = await Deno.makeTempDir();
  await using project = await startProject({ migrate: "directly" });
  await project.sql.unsafe(PLAYS).simple();
  const backup = await project.backUp();
  assert.equal(backup.status, "succeeded", backup.error_message ?? "");
  const second = await startStack({ migrate: false });
  const sql = postgres(second.databaseUrl, { max: 1, onnotice: () => {} });
  const target = await openTarget(second.databaseUrl);
  try {
    const source = await fetchSource(originOf(project), backup.name, folder, () => {});
    const restore = async (options = WHOLE) => {
      const plan = await makePlan(source.archive, target, options);
      await runRestore(source.archive, target, plan, options);
    };
    await restore();

    await test.step("with every version as it was, and none of the restore itself", async () => {
      const recorded = await history(project.sql);
      assert.ok(recorded.length >= 5);
      assert.deepEqual(await history(sql), recorded);
    });

    await test.step("a version from before puts its row back", async () => {
      const [first] = await versions(sql, "1");
      await sql`select versioning.restore(${first!.version})`;
      const rows = await sql`select title, tags from public.plays where id = 1`;
      assert.deepEqual({ ...rows[0] }, { title: "Hamlet", tags: ["old"] });
      assert.equal((await versions(sql, "1")).at(-1)!.operation, "restore");
    });

    await test.step("a row that was deleted before comes back", async () => {
      const deleted = (await versions(sql, "2")).at(-1)!;
      assert.equal(deleted.operation, "delete");
      await sql`select versioning.restore(${deleted.version})`;
      assert.equal((await sql`select title from public.plays where id = 2`)[0]!.title, "Medea");
    });

    await test.step("changes in the copy are recorded, under numbers of their own, and can be undone", async () => {
      const before = (await history(sql)).length;
      const [transaction] = await sql.begin(async (sql) => {
        await sql`update public.plays set title = 'after the restore'`;
        return await sql`select versioning.transaction() as number`;
      });
      assert.equal((await history(sql)).length, before + 2);
      await sql`select versioning.undo(${transaction!.number})`;
      assert.deepEqual((await sql`select title from public.plays order by id`).map(({ title }) => title), [
        "Hamlet",
        "Medea",
      ]);
    });

    await test.step("and a restore in place brings back the history that belongs to the rows", async () => {
      await restore({ ...WHOLE, clean: true });
      assert.deepEqual(await history(sql), await history(project.sql));
      await sql`update public.plays set title = 'once more' where id = 1`;
      assert.equal((await history(sql)).length, (await history(project.sql)).length + 1);
    });
  } finally {
    await Promise.allSettled([target.session.close(), sql.end({ timeout: 1 })]);
    await second.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
