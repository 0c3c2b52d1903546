/** Workers that the platform ends: what they had goes on at once, and deaths make budgets smaller. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { startScene } from "./scene.ts";

/** Rows that lie in TOAST, and so many that the server cannot send them all before somebody reads. */
const LETTERS = `
  create table public.letters (id int, text text);
  alter table public.letters alter text set storage external;
  insert into public.letters select g, repeat(md5(g::text), 1000) from generate_series(1, 600) g`;

/** Nobody can read what a row has in TOAST while its index is made anew. */
const LOCK_LETTERS = `begin;
  do $$ begin
    execute 'reindex table ' || (select reltoastrelid::regclass from pg_class where oid = 'public.letters'::regclass);
  end $$`;

const LIFE_MS = 15_000;

Deno.test("a worker that hears its end in the middle of a COPY gives its work back, and keeps the snapshot for its successor", async () => {
  await using scene = await startScene({ limits: { wallClockMs: LIFE_MS } });
  const { sql, superuser } = scene;
  await sql.unsafe(LETTERS);
  const content = await contentNow(scene);
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 1, lease_seconds => 3600, lock_timeout_ms => 60000)`;

  const id = await scene.start();
  const locker = await superuser.reserve();
  await scene.holdVerb("claim", async () => {
    await locker.unsafe(LOCK_LETTERS).simple();
  });
  await until(
    "the worker has heard of its end",
    () => Promise.resolve(scene.stack.functions.workers()[0]!.wallMs > LIFE_MS * 0.92 ? true : null),
  );
  await locker`rollback`;
  locker.release();
  const run = await scene.over(id);

  assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
  assert.equal(run.attempt, 1, JSON.stringify(run.attempts));
  const told = await sql`select error ->> 'code' as code from backup.workers where error is not null`;
  assert.deepEqual(told.map(({ code }) => code), ["worker_ended"]);
  const [settings] = await sql`select budget_halvings from backup.settings`;
  assert.equal(settings!["budget_halvings"], 0, "one death within an attempt that goes on changes nothing");
  assert.deepEqual(await restores.restored(run.name), content);
  await expectTidy(scene);
});
