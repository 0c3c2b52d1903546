/** Restores and drills that meet, Storage that fails, people who cancel: nothing is lost, nothing is left. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { contentNow } from "../faults/outcome.ts";
import { type Scene, startScene } from "./scene.ts";

const PART = /\/object\/.*\/\d{5}\.dump/;

const TABLES = `
  create table public.a_first (id int primary key, text text);
  insert into public.a_first select g, 'row ' || g from generate_series(1, 200) g;
  create table public.noise (id int primary key references public.a_first deferrable, text text);
  insert into public.noise
  select g, (select string_agg(md5((g * 900 + n)::text), '') from generate_series(1, 450) n) from generate_series(1, 200) g`;

/** Schemas for copies, and what drills make. */
async function leftovers({ superuser }: Scene): Promise<string[]> {
  const rows = await superuser<{ name: string }[]>`
    select datname as name from pg_database where datname like '%drill%'
    union all select rolname from pg_roles where rolname like '%drill%'
    union all select nspname from pg_namespace where nspname like 'restored%' order by 1`;
  return rows.map(({ name }) => name);
}

/** Answers requests for parts in place of Storage: those after the first `passed` wait for `release`, and fail then. */
function holdParts(scene: Scene, passed: number): { held: Promise<void>; release(): void } {
  const { promise: held, resolve: reached } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let seen = 0;
  scene.fault = async (request) => {
    if (request.method !== "GET" || !PART.test(request.url) || ++seen <= passed) return null;
    reached();
    await released;
    scene.fault = null;
    return new Response("held", { status: 503 });
  };
  return { held, release };
}

Deno.test("[inside] faults", async (t) => {
  await using scene = await startScene({ policy: "oneshot" });
  const { sql, superuser } = scene;
  await sql.unsafe(TABLES).simple();
  await sql`select backup.configure(slice_bytes => 500000, part_bytes => 170000)`;
  assert.equal((await scene.backUp()).status, "succeeded");
  const living = await contentNow(scene);
  const asked = async (call: string) =>
    (await sql.unsafe<{ id: number }[]>(`select (${call})::int as id`))[0]!.id;
  const same = async (into: string, table: string) => {
    const [row] = await sql.unsafe<{ same: boolean }[]>(`
      select (select md5(string_agg(c::text, ',' order by id)) from ${into}.${table} c)
        = (select md5(string_agg(t::text, ',' order by id)) from public.${table} t) as same`);
    return row!.same;
  };
  const tidy = async () => {
    await until("nothing is left", async () => {
      await sql`select backup.watch()`;
      return (await leftovers(scene)).length === 0 ? true : null;
    });
    assert.deepEqual(await contentNow(scene), living);
  };

  await t.step("Storage fails for a moment: all rows are there once", async () => {
    let failures = 0;
    scene.fault = (request) =>
      request.method === "GET" && PART.test(request.url) && ++failures % 2 === 1
        ? new Response("down", { status: 503 })
        : null;
    const restore = await scene.ask("backup.restore_schema('public')");
    scene.fault = null;
    assert.ok(failures > 2);
    assert.deepEqual([restore.status, restore.rows, restore.exceptions], ["succeeded", 400, []]);
    assert.ok(await same(restore.into_schema, "noise"));
    await sql.unsafe(`drop schema ${restore.into_schema} cascade`);
  });

  await t.step("Storage stays down: the restore fails, and its copies are removed", async () => {
    await sql`select backup.configure(invocation_bytes => 700000)`;
    const hold = holdParts(scene, 8);
    const id = await asked("backup.restore_schema('public')");
    await hold.held;
    // The next failure is the last one, minutes earlier than it would be.
    await superuser`update backup.restores set failures = 5 where id = ${id}`;
    const { into_schema: into, rows } = await scene.restore(id);
    assert.ok(rows > 0, "a copy has rows");
    const down = () => new Response("down", { status: 503 });
    hold.release();
    await until("the hold is over", () => Promise.resolve(scene.fault === null ? true : null));
    scene.fault = (request) => PART.test(request.url) ? down() : null;
    const restore = await scene.restored(id);
    scene.fault = null;
    await sql`select backup.configure(invocation_bytes => 80000000)`;
    assert.deepEqual([restore.status, restore.into_schema], ["failed", into]);
    assert.match(restore.error_message!, /503|down|Storage/);
    await tidy();
  });

  await t.step("two restores and a drill at once follow each other", async () => {
    const [, one, other, drill] = await Promise.all([
      sql`select 1`,
      asked("backup.restore_table('public.noise')"),
      asked("backup.restore_schema('public')"),
      asked("backup.drill(drill_bytes => 200000000)"),
    ]);
    const restores = await Promise.all([one, other, drill].map((id) => scene.restored(id)));
    assert.deepEqual(restores.map(({ status, rows }) => [status, rows]).slice(0, 2), [
      ["succeeded", 200],
      ["succeeded", 400],
    ]);
    assert.equal(restores[2]!.status, "succeeded", restores[2]!.error_message ?? "");
    const [first, second] = restores.map(({ into_schema: into }) => into);
    assert.notEqual(first, second);
    assert.ok(await same(first!, "noise") && await same(second!, "noise") && await same(second!, "a_first"));
    await sql.unsafe(`drop schema ${first}, ${second} cascade`);
    await tidy();
  });

  await t.step("a copy that is there already stays as it is", async () => {
    const first = await scene.ask("backup.restore_table('public.a_first', into_schema => 'restored_mine')");
    await sql`delete from restored_mine.a_first where id > 3`;
    const second = await scene.ask("backup.restore_table('public.a_first', into_schema => 'restored_mine')");
    assert.deepEqual([first.status, second.status], ["succeeded", "failed"]);
    assert.match(second.error_message!, /a_first.*already exists/);
    const [row] = await sql`select count(*)::int as rows from restored_mine.a_first`;
    assert.equal(row!.rows, 3);
  });

  await t.step("one that is cancelled at work leaves nothing, and what was there stays", async () => {
    const hold = holdParts(scene, 2);
    const id = await asked("backup.restore_table('public.noise', into_schema => 'restored_mine')");
    await hold.held;
    assert.equal((await sql`select backup.cancel_restore(${id}) as done`)[0]!.done, true);
    assert.equal((await scene.restore(id)).status, "cancelling");
    hold.release();
    assert.equal((await scene.restored(id)).status, "cancelled");
    assert.equal((await sql`select to_regclass('restored_mine.noise') is null as gone`)[0]!.gone, true);
    assert.equal((await sql`select count(*)::int as rows from restored_mine.a_first`)[0]!.rows, 3);
    await sql`drop schema restored_mine cascade`;
    await tidy();
  });

  await t.step("one that is cancelled, and its invocation dies", async () => {
    await sql`select backup.configure(invocation_bytes => 700000)`;
    const hold = holdParts(scene, 8);
    const id = await asked("backup.restore_schema('public')");
    await hold.held;
    const made = await scene.restore(id);
    assert.ok(made.rows > 0);
    await sql`select backup.cancel_restore(${id})`;
    const workers = scene.stack.functions.workers().filter(({ state }) => state !== "ended");
    await Promise.all(workers.map((worker) => scene.stack.functions.kill(worker.id)));
    hold.release();
    assert.equal((await scene.restored(id)).status, "cancelled");
    await sql`select backup.configure(invocation_bytes => 80000000)`;
    await tidy();
  });
});
