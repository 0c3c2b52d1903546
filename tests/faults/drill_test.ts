/**
 * Invocations that drill inside the project are killed (SIGKILL) at named points. The next ones find what the same
 * drill finds undisturbed; no scratch database, no role, no session is left, and the living tables are as they were.
 */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import type { Drill } from "../inside/scene.ts";
import { DRILL_POINTS, type PointBehind } from "./drill_points.ts";
import { ended, nothingIsLeft } from "./inside.ts";
import { contentNow } from "./outcome.ts";
import { recordRestore } from "./results.ts";
import { type Scene, startScene } from "./scene.ts";

/** `FAULTS="an index" npm run test:all` tries some of them only. */
const WANTED = new RegExp(Deno.env.get("FAULTS") ?? "");

/** Code of the tables waits at gates: of rows that come in, of an index, of a materialized view, of further rows. */
const TABLES = `
  create function public.gate(gate text) returns boolean language plpgsql volatile as $$
    begin
      while exists (select from pg_catalog.pg_roles where rolname = gate) loop perform pg_catalog.pg_sleep(0.05); end loop;
      return true;
    end $$;
  create function public.gate_of(n int) returns int language plpgsql immutable as $$
    begin
      perform public.gate('gate_index');
      return n;
    end $$;
  create table public.guarded (id int primary key, text text, check (public.gate('gate_rows')));
  insert into public.guarded select g, 'row ' || g from generate_series(1, 300) g;
  create table public.indexed (id int primary key);
  create index indexed_gate on public.indexed (public.gate_of(id));
  insert into public.indexed select generate_series(1, 100);
  create table public.noise (id int primary key, guarded int references public.guarded, text text);
  insert into public.noise
  select g, 1 + g % 300, (select string_agg(md5((g * 120 + n)::text), '') from generate_series(1, 110) n)
  from generate_series(1, 4500) g;
  create index on public.noise (guarded);
  create table public.tried (id int generated always as identity primary key, text text check (public.gate('gate_further')));
  insert into public.tried (text) values ('x');
  create materialized view public.trials as select id, public.gate('gate_view') from public.tried`;

/** The largest table does not fit beside the others: it is emptied on the way. */
const CALL = "backup.drill(drill_bytes => 20000000)";

Deno.test("an invocation that drills inside the project is killed", async (test) => {
  await using scene = await startScene();
  const { sql } = scene;
  await sql.unsafe(TABLES);
  await sql`select backup.configure(slice_bytes => 1500000, part_bytes => 510000, second_copy => 'none')`;
  const run = await scene.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");
  await sql`select backup.configure(invocation_bytes => 25000000)`;
  const living = await contentNow(scene);
  const drilled = async () => {
    const [row] = await sql<{ drill: Drill }[]>`
      select to_jsonb(d) as drill from backup.drills d order by id desc limit 1`;
    return row!.drill;
  };
  const ask = async () => (await sql.unsafe<{ id: number }[]>(`select (${CALL})::int as id`))[0]!.id;

  const undisturbed = await ended(scene, await ask());
  const expected = await drilled();
  assert.deepEqual([undisturbed.status, expected.failed], ["succeeded", 0], JSON.stringify(expected));
  assert.ok(
    expected.checks.some(({ detail }) => /were emptied.*noise/.test(detail)),
    JSON.stringify(expected.checks),
  );
  await nothingIsLeft(scene);

  for (const [when, point] of Object.entries(DRILL_POINTS)) {
    const title = `a drill: ${when}`;
    if (!WANTED.test(title)) continue;
    await test.step(title, async () => {
      const drills = await sql`select from backup.drills`;
      const id = await ("behind" in point ? killBehind(scene, point, ask) : scene.killAt(point, ask));
      const restore = await ended(scene, id);
      assert.equal(restore.status, "succeeded", restore.error_message ?? "");
      assert.equal((await sql`select from backup.drills`).length, drills.length + 1);
      const { checks, passed, failed, unchecked } = await drilled();
      assert.deepEqual([checks, passed, failed, unchecked], [
        expected.checks,
        expected.passed,
        0,
        expected.unchecked,
      ]);
      assert.deepEqual([restore.rows, restore.raw_bytes], [undisturbed.rows, undisturbed.raw_bytes]);
      await nothingIsLeft(scene);
      assert.deepEqual(await contentNow(scene), living);
      recordRestore(
        import.meta.url,
        title,
        restore,
        "the same result as undisturbed, the living tables as they were",
      );
    });
  }
});

/** Kills the invocation at the first statement behind a trigger that waits for the lock, or at the gate. */
async function killBehind<T>(
  scene: Scene,
  { behind, lock, gate, statement }: PointBehind,
  begin: () => Promise<T>,
): Promise<T> {
  const { superuser } = scene;
  const locker = await superuser.reserve();
  try {
    const begun = begin();
    await scene.holdVerb(behind, async () => {
      await locker.unsafe(gate ? `create role ${gate}` : `begin; ${lock}`).simple();
    });
    const backend = await until(`${statement} waits`, async () => {
      const [row] = await superuser.unsafe<{ pid: number }[]>(`
        select pid from pg_stat_activity
        where application_name like 'supabase-backup%' and state = 'active' and query ilike '${statement}'
          and ${gate ? "datname like 'scratch%'" : "wait_event_type = 'Lock'"}`);
      return row?.pid ?? null;
    });
    const { id } = await scene.processOf(backend);
    assert.ok(await scene.stack.functions.kill(id), "the invocation was alive until now");
    // The server does not notice while it waits at the gate: the next invocation ends it.
    if (gate) await until("the dead invocation's session is ended", () => watched(scene, backend));
    return await begun;
  } finally {
    await locker.unsafe(gate ? `drop role if exists ${gate}` : "rollback");
    locker.release();
  }
}

/** Returns true when a backend is gone; wakes the watch-dog. */
async function watched({ sql, superuser }: Scene, backend: number): Promise<true | null> {
  await sql`select backup.watch()`;
  const sessions = await superuser`select from pg_stat_activity where pid = ${backend}`;
  return sessions.length === 0 ? true : null;
}
