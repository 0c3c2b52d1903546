/** A migration comes in the middle of a backup: who waits for whom, and what is in the backup. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { record } from "./results.ts";
import { type Scene, startScene, within } from "./scene.ts";

/** `early` is in one of the first slices; `late` has two dozen of its own, and several workers one after the other. */
const TABLES = `
  create table public.early as select g as id, 'play ' || g as text from generate_series(1, 100) g;
  create table public.late as
  select g as id, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text from generate_series(1, 6000) g`;

Deno.test("migrations in the middle of a backup", async (test) => {
  await using scene = await startScene();
  const { sql, superuser } = scene;
  await sql.unsafe(TABLES);
  const migration = await superuser.reserve();
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 1, lock_timeout_ms => 1000)`;

  await test.step("a migration waits until the rows are read, as it does for pg_dump", async ({ name }) => {
    const content = await contentNow(scene);
    const hold = scene.holdRequests(/\/00001\.dump$/);
    const id = await scene.start();
    await within("a part is uploaded", hold.held);
    const statement = "alter table public.late add column more int";
    const migrated = migration.unsafe(statement).execute();
    await until("the migration waits for its lock", async () => {
      const [row] =
        await sql`select from pg_stat_activity where query = ${statement} and wait_event_type = 'Lock'`;
      return row ?? null;
    });
    hold.release(true);
    const run = await scene.over(id);
    await migrated;
    assert.deepEqual([run.status, run.attempt], ["succeeded", 1], JSON.stringify(run.attempts));
    assert.deepEqual(await restores.restored(run.name), content);
    record(import.meta.url, name, run, { workers: 1, then: "restored as it was before the migration" });
  });

  await sql`select backup.configure(slice_bytes => 250000, part_bytes => 200000, invocation_bytes => 1400000)`;

  await test.step("a migration of a table whose rows are stored waits for no successor: the run goes on", async ({ name }) => {
    const content = await contentNow(scene);
    const id = await scene.start();
    await stored(scene, id, "public.early");
    await within("the migration is through", migration`alter table public.early add column more int`);
    assert.equal((await scene.run(id)).finished_at, null, "before the run has ended");
    const run = await scene.over(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 1], JSON.stringify(run.attempts));
    assert.ok(run.invocations > 3, `${run.invocations} invocations`);
    assert.deepEqual(await restores.restored(run.name), content);
    record(import.meta.url, name, run, { workers: 1, then: "restored as it was before the migration" });
  });

  await test.step("a migration of a table that a successor has to read: the attempt gives way after lock_timeout_ms, and the run starts over", async ({ name }) => {
    const id = await scene.start();
    await stored(scene, id, "public.early");
    const [run] = await Promise.all([scene.over(id), migration`alter table public.late add column last int`]);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run.attempts));
    const { error } = run.attempts[0]!;
    assert.equal(error.code, "lock_timeout");
    assert.match(error.message, /^Cannot lock public\.late in time/);
    assert.deepEqual(await restores.restored(run.name), await contentNow(scene));
    record(import.meta.url, name, run, { workers: 1, then: "restored as it was after the migration" });
  });

  await test.step("a table is locked when the run begins: the next attempt waits for a while, and finds it free", async ({ name }) => {
    const content = await contentNow(scene);
    await migration`begin`;
    await migration`lock table public.early in access exclusive mode`;
    const id = await scene.start();
    await until("an attempt has ended", async () => (await scene.run(id)).attempts[0] ?? null);
    await migration`rollback`;
    const run = await scene.over(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run.attempts));
    assert.equal(run.attempts[0]!.error.code, "lock_timeout");
    const [wait] = await superuser<{ long: boolean }[]>`
      select min(w.entered_at) - (l.attempts -> 0 ->> 'ended_at')::timestamptz > interval '6 seconds' as long
      from backup.log l join backup.workers w on w.run_id = l.id and w.attempt = 2
      where l.id = ${id} group by l.id`;
    assert.ok(wait!.long, "six times as long as it waited for the lock");
    assert.deepEqual(await restores.restored(run.name), content);
    record(import.meta.url, name, run, { workers: 1, then: "restored equal" });
  });
  migration.release();
  await expectTidy(scene);
});

/** Waits until a run has slices left for some successors, and none of them is of `table`. */
async function stored(scene: Scene, id: number, table: string): Promise<void> {
  await until(`the rows of ${table} are stored`, async () => {
    const [row] = await scene.sql<{ left: number; of_table: number }[]>`
      select count(*)::int as left, (count(*) filter (where pieces @> ${`[{"table": "${table}"}]`}::text::jsonb))::int as of_table
      from backup.slices where run_id = ${id} and finished_at is null`;
    return row!.left > 6 && row!.of_table === 0 ? true : null;
  });
}
