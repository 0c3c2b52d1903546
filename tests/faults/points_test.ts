/**
 * Workers are killed (SIGKILL) at named points of a run, with one worker at a time and with three. Whatever was half done, the
 * run goes on or starts over by itself, its backup restores to what was there, and nothing is left over.
 */
import assert from "node:assert/strict";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { type Point, startScene } from "./scene.ts";

/** A backend of the function whose statement waits for a lock. */
const waitingIn = (statement: string) => `
  select pid from pg_stat_activity
  where application_name like 'supabase-backup%' and query ilike '${statement}' and wait_event_type = 'Lock'`;

/** Nobody can read what a row has in TOAST while its index is made anew. */
const LOCK_TOAST = `do $$ begin
  execute 'reindex table ' || (select reltoastrelid::regclass from pg_class where oid = 'public.letters'::regclass);
end $$`;

/** The watch-dog gives a call that was received 45 seconds before it makes another one. */
const LATER = `
  update backup.calls set created_at = created_at - interval '1 minute', used_at = used_at - interval '1 minute'
  where used_at is not null and worker is null`;

const HOLDER_THAT_WAITS = `
  select w.backend_pid as pid from backup.workers w join backup.live_workers l using (id)
  where w.leaving_at is not null and w.held_at is not null`;

/** `FAULTS="claim|COPY" npm run test:long` tries some of the points only. */
const WANTED = new RegExp(Deno.env.get("FAULTS") ?? "");

/** The first numbers are the head's. */
const PART = /^POST .*\/000(1[7-9]|[2-9]\d)\.dump/;

const POINTS: Record<string, Point> = {
  "before it has entered": { trigger: "enter", then: "undo", afterwards: LATER },
  "after it has entered": { trigger: "enter", then: "commit" },
  "while it plans": {
    query: waitingIn("lock table%"),
    lock: "lock table public.noise in access exclusive mode",
  },
  "before it stores the head": { request: /^POST .*\/00000\.dump/ },
  "after the head, before the plan": { trigger: "plan", then: "undo" },
  "after the plan": { trigger: "plan", then: "commit" },
  "before it holds the snapshot": { trigger: "hold", then: "undo" },
  "after it holds the snapshot": { trigger: "hold", then: "commit" },
  "before a claim": { trigger: "claim", then: "undo" },
  "after a claim": { trigger: "claim", then: "commit" },
  "in a COPY": { query: waitingIn("copy%letters%"), lock: LOCK_TOAST },
  "before it stores a part": { request: PART },
  "after a part, before its record": { trigger: "record_part", then: "undo" },
  "after a part's record": { trigger: "record_part", then: "commit" },
  "after the last part, before the slice is finished": { trigger: "finish_slice", then: "undo" },
  "after the slice is finished": { trigger: "finish_slice", then: "commit" },
  "while it waits to leave, the last who holds the snapshot": {
    query: HOLDER_THAT_WAITS,
    holdRequest: /^POST \/functions\/v1\/backup/,
  },
  "before it leaves": { trigger: "leave", then: "undo" },
  "after it has left": { trigger: "leave", then: "commit" },
  "after it took on the finish": { trigger: "claim_finish", then: "commit" },
  "after a closing part, before its record": { trigger: "record_closing_part", then: "undo" },
  "after a closing part's record": { trigger: "record_closing_part", then: "commit" },
  "while it verifies": { request: /^GET .*\/00001\.dump/ },
  "after a part is verified": { trigger: "verified", then: "commit" },
  "before it stores the manifest": { request: /^POST .*\/manifest\.json/ },
  "after the manifest": { request: /^GET .*\/manifest\.json/ },
  "while it rotates": { request: /^DELETE / },
  "before success is recorded": { trigger: "succeed", then: "undo" },
  "after success is recorded": { trigger: "succeed", then: "commit" },
};

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
      if (!WANTED.test(name)) continue;
      await test.step(`${name}, ${workers} at a time`, async () => {
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
      });
    }
  }
});
