/**
 * Workers are killed (SIGKILL) at named points of a run, with one worker at a time and with three. Whatever was half
 * done, the run goes on or starts over by itself, its backup restores to what was there, and nothing is left over.
 */
import assert from "node:assert/strict";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { POINTS } from "./points.ts";
import { record } from "./results.ts";
import { startScene } from "./scene.ts";

/**
 * `FAULTS="claim|COPY" npm run test:all` tries some of the points only, `FAULTS="3 at a time"` with so many workers.
 */
const WANTED = new RegExp(Deno.env.get("FAULTS") ?? "");

Deno.test("a worker is killed", async (test) => {
  await using scene = await startScene();
  const { sql, superuser } = scene;
  // Text that does not compress: many parts, and slices of several of them.
  await sql.unsafe(`
    create table public.noise as
    select g as id, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text from generate_series(1, 2500) g;
    create table public.people as select g as id, 'person ' || g as name from generate_series(1, 500) g;
    create table public.letters (id int, text text);
    alter table public.letters alter text set storage external;
    insert into public.letters select g, repeat('letter ' || g, 1000) from generate_series(1, 4) g;
    create table public.empty (id int primary key)`);
  const content = await contentNow(scene);
  await using restores = await startRestores(scene);
  const older = await scene.backUp();
  assert.equal(older.status, "succeeded", older.error_message ?? "");
  await sql`select backup.pin(${older.name})`;
  const etags = () =>
    superuser`select name, metadata ->> 'eTag' as etag, created_at from storage.objects where name like ${`${older.name}/%`} order by name`;
  const before = await etags();

  for (const workers of [1, 3]) {
    for (const [name, point] of Object.entries(POINTS)) {
      const title = `${name}, ${workers} at a time`;
      if (!WANTED.test(title)) continue;
      await test.step(title, async () => {
        await sql`select backup.cancel(id) from backup.log where finished_at is null`;
        await sql`select backup.configure(workers => ${workers}, slice_bytes => 500000, part_bytes => 170000,
          invocation_bytes => 2000000, lease_seconds => 10, keep_manual => 1)`;
        const id = await scene.start();
        await scene.killAt(point);
        const run = await scene.over(id);
        assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
        assert.deepEqual(await restores.restored(run.name), content);
        await expectTidy(scene);
        assert.deepEqual(await etags(), before, "the older backup is as it was");
        record(import.meta.url, name, run, { workers, then: "restored equal, nothing left over" });
      });
    }
  }
});
