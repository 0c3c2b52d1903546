/** Money is moved at full speed while three workers at a time export: what they store together is one instant. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { until } from "../e2e/project.ts";
import { expectTidy, startRestores } from "./outcome.ts";
import { record } from "./results.ts";
import { startScene } from "./scene.ts";

const ACCOUNTS = 2000;

Deno.test("a bank is backed up by three workers at a time while money is moved", async ({ name }) => {
  await using scene = await startScene();
  const { sql, stack } = scene;
  await sql.unsafe(`
    create table public.accounts (id int primary key, balance bigint not null);
    insert into public.accounts select g, 1000 from generate_series(1, ${ACCOUNTS}) g;
    create table public.transfers (
      id bigint generated always as identity primary key,
      source int not null references public.accounts, target int not null references public.accounts, amount bigint not null
    );
    create table public.noise as
    select g as id, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text from generate_series(1, 6000) g`);
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 3, slice_bytes => 250000, part_bytes => 200000, invocation_bytes => 1400000)`;

  let moving = true;
  let moved = 0;
  const clerks = Array.from({ length: 2 }, async (_, clerk) => {
    const teller = postgres(stack.superuserUrl, { max: 1 });
    for (let turn = 0; moving; turn++, moved++) {
      const from = 1 + (turn * 7 + clerk) % ACCOUNTS;
      const to = 1 + (turn * 13 + clerk * 3 + 1) % ACCOUNTS;
      if (from === to) continue;
      // One after the other in the order of their numbers, so that two clerks never wait for each other.
      await teller.begin(async (sql) => {
        for (const id of [from, to].sort((a, b) => a - b)) {
          await sql`update public.accounts set balance = balance + ${id === to ? 5 : -5} where id = ${id}`;
        }
        await sql`insert into public.transfers (source, target, amount) values (${from}, ${to}, 5)`;
      });
    }
    await teller.end();
  });
  scene.uploads.length = 0;
  const id = await scene.start();
  const run = await scene.over(id).finally(() => moving = false);
  await Promise.all(clerks);
  assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
  assert.ok(run.invocations >= 8, `${run.invocations} invocations`);
  assert.ok(moved > 100, `${moved} transfers`);
  assert.deepEqual(scene.uploads.toSorted(), [...new Set(scene.uploads)].sort(), "nothing was stored twice");
  await until("several workers have held the snapshot at the same time", async () => {
    const [row] = await sql`
      select from backup.workers a join backup.workers b on a.id < b.id and a.held_at < b.left_at and b.held_at < a.left_at`;
    return row ?? null;
  });

  // Restoring makes the foreign keys, which fails for a transfer without its account.
  const database = await restores.restore(run.name);
  const restored = postgres(database, { max: 1 });
  const [sums] = await restored`
    select sum(balance)::int as total, count(*) filter (where balance <> 1000 + came - went)::int as wrong,
      (select count(*)::int from public.transfers) as transfers
    from public.accounts a, lateral (
      select coalesce(sum(amount) filter (where target = a.id), 0) as came,
        coalesce(sum(amount) filter (where source = a.id), 0) as went
      from public.transfers t where a.id in (t.source, t.target)
    ) moves`;
  await restored.end();
  assert.deepEqual([sums!["total"], sums!["wrong"]], [ACCOUNTS * 1000, 0]);
  assert.ok(sums!["transfers"] > 0 && sums!["transfers"] < moved, "it was in the middle of it");
  await expectTidy(scene);
  record(import.meta.url, name, run, {
    workers: 3,
    then: `${moved} transfers meanwhile, ${sums!["transfers"]} of them in the backup, the sum is right`,
  });
});
