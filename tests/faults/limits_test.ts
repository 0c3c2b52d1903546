/** Workers that the platform ends: what they had goes on at once, and deaths make budgets smaller. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { record } from "./results.ts";
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

/** The platform tells of the end when a tenth of it is left, in which a successor has to come. */
const LIFE_MS = 30_000;

Deno.test("a worker that hears its end in the middle of a COPY gives its work back, and keeps the snapshot for its successor", async ({ name }) => {
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
    () => Promise.resolve(scene.stack.functions.workers()[0]!.wallMs > LIFE_MS * 0.905 ? true : null),
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
  record(import.meta.url, name, run, { workers: 1, then: "restored equal, budgets unchanged" });
});

Deno.test("a worker that meets rows too dear for what is left of its CPU gives them back, and its successor exports them", async ({ name }) => {
  await using scene = await startScene();
  const { sql } = scene;
  // Two digits at random: at this level a megabyte takes many times as long as of other text.
  await sql.unsafe(`
    create table public.bits as
    select g as id, (select string_agg(('x' || md5((g * 100 + n)::text))::bit(128)::text, '') from generate_series(1, 100) n) as text
    from generate_series(1, 400) g`);
  const content = await contentNow(scene);
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 1, level => 8, slice_bytes => 2000000, invocation_bytes => 40000000)`;

  const run = await scene.backUp();
  assert.deepEqual([run.status, run.attempt], ["succeeded", 1], `${run.error_message}`);
  const workers = await sql`select role, error from backup.workers`;
  assert.ok(workers.every(({ error }) => error === null), JSON.stringify(workers));
  assert.ok(scene.stack.functions.workers().every(({ ended }) => ended === null || ended === "early_drop"));
  const exported = await sql`
    select s.number, s.tries, w.role from backup.slices s join backup.workers w on w.id = s.worker
    where s.pieces @> '[{"table": "public.bits"}]'`;
  assert.ok(exported.length >= 2, JSON.stringify(exported));
  // The planner had the bytes for the first of them.
  for (const { role, tries } of exported) assert.ok(role !== "plan" && tries === 1, JSON.stringify(exported));
  assert.deepEqual(await restores.restored(run.name), content);
  await expectTidy(scene);
  record(import.meta.url, name, run, { workers: 1, then: "restored equal, no isolate ended at a limit" });
});

Deno.test("workers that use up their CPU make the budgets smaller, and a run without a death makes them larger again", async ({ name }) => {
  await using scene = await startScene({ limits: { cpuMs: 1000 } });
  const { sql } = scene;
  await sql.unsafe(`
    create table public.noise as
    select g as id, (select string_agg(md5((g * 400 + n)::text), '') from generate_series(1, 300) n) as text
    from generate_series(1, 2500) g`);
  const content = await contentNow(scene);
  await using restores = await startRestores(scene);
  // At this level a slice takes more CPU than there is.
  await sql`select backup.configure(workers => 1, level => 9, slice_bytes => 24000000)`;
  const halvings = async () =>
    (await sql<{ n: number }[]>`select budget_halvings as n from backup.settings`)[0]!.n;

  const run = await scene.backUp();
  assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
  assert.ok(
    run.attempts.length > 0 && run.attempts.every(({ worker_died: died }) => died),
    JSON.stringify(run.attempts),
  );
  const halved = await halvings();
  assert.equal(halved, run.attempts.length);
  assert.deepEqual(await restores.restored(run.name), content);

  await sql`select backup.configure(level => 1)`;
  const next = await scene.backUp();
  assert.deepEqual([next.status, next.attempt], ["succeeded", 1], `${next.error_message}`);
  assert.equal(await halvings(), halved - 1);
  await expectTidy(scene);
  record(import.meta.url, name, run, {
    workers: 1,
    then: `restored equal, budgets halved ${halved} times, and once less after the next run`,
  });
});

Deno.test("a row that no invocation can take: the run fails and names its table, and the older backups stay", async ({ name }) => {
  await using scene = await startScene({ limits: { cpuMs: 600 } });
  const { sql } = scene;
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 1)`;
  const before = await scene.backUp();
  assert.equal(before.status, "succeeded", `${before.error_message}`);
  const content = await contentNow(scene);
  await sql.unsafe(`
    create table public.giants as
    select 1 as id, string_agg(md5(g::text), '') as text from generate_series(1, 3000000) g`);

  const run = await scene.backUp();
  assert.equal(run.status, "failed");
  assert.equal(run.attempt, 3);
  assert.match(run.error_message!, /; they failed on: public\.giants$/);
  assert.match(
    run.error_hint!,
    /^A slice of public\.giants cannot be smaller than 9\d MB, because .* Keep such values in Storage/,
  );
  const [health] = await sql`select reasons::text from backup.health where verdict = 'failing'`;
  assert.match(health!["reasons"], /"run_failed"/);
  assert.deepEqual(await restores.restored(before.name), content);
  await sql`drop table public.giants`;
  const next = await scene.backUp();
  assert.equal(next.status, "succeeded", `${next.error_message}`);
  await expectTidy(scene);
  record(import.meta.url, name, run, {
    workers: 1,
    alarms: ["run_failed"],
    then: "the older backups are as they were, the next run succeeded without it",
  });
});
