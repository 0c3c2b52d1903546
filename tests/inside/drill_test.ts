/** A backup that restores itself in the project: what passes, what must fail, and what is left behind. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { type Scene, SHOP, startScene } from "./scene.ts";

/** Changes the bytes of an object of the bucket. */
async function change(scene: Scene, name: string, how: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const files = scene.client.storage.from("backups");
  const { data } = await files.download(name);
  const bytes = how(new Uint8Array(await data!.arrayBuffer()));
  const { error } = await files.update(name, bytes, { contentType: "application/octet-stream" });
  assert.equal(error, null);
}

/** What a drill leaves nothing of. */
async function leftovers({ superuser }: Scene): Promise<string[]> {
  const rows = await superuser<{ name: string }[]>`
    select datname as name from pg_database where datname like '%drill%'
    union all select rolname from pg_roles where rolname like '%drill%'`;
  return rows.map(({ name }) => name);
}

const cleaned = (scene: Scene) =>
  until("nothing is left of the drill", async () => {
    await scene.sql`select backup.watch()`;
    return (await leftovers(scene)).length === 0 ? true : null;
  });

Deno.test("[inside] drills", async (t) => {
  await using scene = await startScene();
  const { sql } = scene;
  await sql.unsafe(SHOP).simple();
  await sql.unsafe(`
    create table public.noise (id int primary key, text text);
    insert into public.noise select g, string_agg(md5(g::text || i), '') from generate_series(1, 7000) g, generate_series(1, 40) i group by g;
    -- A row that is tried waits here, as long as a role of that name is there.
    create function public.wait_for_role() returns int language plpgsql as $$
      begin
        while exists (select from pg_catalog.pg_roles where rolname = 'trial_waits') loop perform pg_catalog.pg_sleep(0.1); end loop;
        return 2;
      end $$;
    create table public.trials (id int primary key default public.wait_for_role(), text text);
    insert into public.trials values (1, 'x');
    -- Short rows fill the gaps that long ones left in earlier pages, so they come back in another order.
    create table public.uneven (id int primary key, text text);
    insert into public.uneven select g, repeat(md5(g::text), case when g % 2 = 0 then 2 else 90 end) from generate_series(1, 5000) g;
    -- With little space the table that it references is empty by then.
    create table public.visits (id int primary key, customer_id int references public.customers);
    insert into public.visits select g, 1 + g % 20 from generate_series(1, 100) g;
    create materialized view public.sums as select customer_id, count(*) from public.orders group by 1;
  `).simple();
  await sql`select backup.configure(part_bytes => 131072, slice_bytes => 390000)`;
  const backup = (await scene.backUp()).name;
  const living = async () =>
    (await sql`select count(*)::int as rows, max(xmin::text::bigint)::text as last from public.orders`)[0]!;
  const before = await living();

  await t.step("a good backup passes, and nothing is left", async () => {
    const { restore, drill } = await scene.drill("backup.drill(drill_bytes => 200000000)");
    assert.equal(restore.status, "succeeded", restore.error_message ?? "");
    assert.deepEqual(drill!.checks.filter(({ outcome }) => outcome === "failed"), []);
    assert.deepEqual([drill!.name, drill!.failed], [backup, 0]);
    assert.ok(drill!.passed > 20, `${drill!.passed} passed`);
    const rows = await sql`select rows::int from backup.log order by id desc limit 1`;
    assert.ok(
      restore.rows > 5000 && restore.rows <= rows[0]!.rows,
      "all rows but large objects and missing extensions'",
    );
    const named = drill!.checks.map(({ what }) => what);
    assert.ok(named.includes("owners and grants") && named.includes("jobs of pg_cron"), named.join());
    await cleaned(scene);
    assert.deepEqual(await living(), before, "the living tables are as they were");
    const codes =
      await sql`select r ->> 'code' as code from backup.health h, jsonb_array_elements(h.reasons) r`;
    assert.ok(!codes.some(({ code }) => /drill/.test(code)), "health knows of the drill");
  });

  await t.step("one whose last invocation dies while it tries rows starts that over", async () => {
    const { stack, superuser } = scene;
    await superuser`create role trial_waits`;
    const id = (await sql<{ id: number }[]>`select backup.drill(drill_bytes => 200000000)::int as id`)[0]!.id;
    await until("rows are tried", async () => {
      await sql`select backup.watch()`;
      const trials = await superuser`
        select from pg_stat_activity where query ~ '^insert into "?public"?."?trials' and state = 'active'`;
      return trials.length > 0 ? true : null;
    });
    await Promise.all(stack.functions.workers().map(({ id }) => stack.functions.kill(id)));
    await superuser`drop role trial_waits`;
    const restore = await scene.restored(id);
    assert.equal(restore.status, "succeeded", restore.error_message ?? "");
    const [drill] = await sql`select checks from backup.drills order by id desc limit 1`;
    assert.deepEqual(drill!["checks"].filter(({ outcome }: { outcome: string }) => outcome === "failed"), []);
    await cleaned(scene);
  });

  await t.step("with little space, in many invocations", async () => {
    await sql`select backup.configure(invocation_bytes => 12000000)`;
    const calls = async () =>
      (await sql`select count(*)::int as n from backup.calls where purpose = 'restore'`)[0]!.n;
    const called = await calls();
    const { restore, drill } = await scene.drill("backup.drill(drill_bytes => 20000000)");
    await sql`select backup.configure(invocation_bytes => 80000000)`;
    assert.equal(restore.status, "succeeded", restore.error_message ?? "");
    assert.deepEqual(drill!.checks.filter(({ outcome }) => outcome === "failed"), []);
    assert.ok(
      drill!.checks.some(({ detail }) => /were emptied.*"customers".*"visits"/.test(detail)),
      JSON.stringify(drill!.checks),
    );
    assert.ok(await calls() - called > 2, "one invocation was not enough");
    await cleaned(scene);
  });

  await t.step("a part that is damaged fails with the table's name", async () => {
    const rows =
      await sql`select name from storage.objects where name like ${`${backup}/%.dump`} order by name`;
    const part = rows.at(-1)!.name;
    let whole = new Uint8Array();
    await change(scene, part, (bytes) => {
      whole = bytes.slice();
      bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    });
    const { drill } = await scene.drill("backup.drill(drill_bytes => 200000000)");
    await change(scene, part, () => whole);
    const failed = drill!.checks.filter(({ outcome }) => outcome === "failed");
    assert.match(failed[0]!.what, /^rows: \w+\.\w+/);
    assert.match(failed[0]!.detail, /is damaged: \d+\.dump does not have the SHA-256 of the manifest/);
    const [health] =
      await sql`select r from backup.health h, jsonb_array_elements(h.reasons) r where r ->> 'code' = 'drill_failed'`;
    assert.equal(health!.r.severity, "failing");
    await cleaned(scene);
  });

  await t.step("so does one that is missing", async () => {
    const rows =
      await sql`select name from storage.objects where name like ${`${backup}/%.dump`} order by name`;
    const part = rows.at(-1)!.name;
    const files = scene.client.storage.from("backups");
    const { data } = await files.download(part);
    await files.remove([part]);
    const { drill } = await scene.drill(`backup.drill('${backup}', drill_bytes => 200000000)`);
    assert.match(drill!.checks[0]!.what, /^rows: /);
    assert.match(drill!.checks[0]!.detail, /\.dump is missing/);
    await files.upload(part, data!, { contentType: "application/octet-stream" });
    await cleaned(scene);
  });

  await t.step("a table that does not restore fails with its name", async () => {
    // Valid when the rows came, and not any more: backups turn unrestorable by ageing.
    await sql.unsafe(`
      create function public.limit_of() returns int language sql immutable as 'select 10';
      create table public.ageing (n int check (n < public.limit_of()));
      insert into public.ageing values (7);
      create or replace function public.limit_of() returns int language sql immutable as 'select 5';
    `).simple();
    await scene.backUp();
    const { drill } = await scene.drill("backup.drill(drill_bytes => 200000000)");
    const failed = drill!.checks.filter(({ outcome }) => outcome === "failed");
    assert.ok(
      failed.some(({ what, detail }) => what === "rows: public.ageing" && /ageing_n_check/.test(detail)),
      JSON.stringify(failed),
    );
    await sql`drop table public.ageing`;
    await cleaned(scene);
  });

  await t.step("a constraint that does not come back fails, and is named once", async () => {
    await sql`create table public.children (parent int primary key references public.visits)`;
    await sql`insert into public.children values (1), (2)`;
    // As a superuser of the platform may do it.
    await scene.superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql`delete from public.visits where id = 2`;
    });
    await scene.backUp();
    const { drill } = await scene.drill("backup.drill(drill_bytes => 200000000)");
    assert.deepEqual(
      drill!.checks.filter(({ outcome }) => outcome === "failed").map(({ what }) => what),
      ["restore: FK CONSTRAINT public.children children_parent_fkey"],
    );
    await sql`drop table public.children`;
    await cleaned(scene);
  });

  await t.step("a drill that is cancelled leaves nothing", async () => {
    await sql`select backup.configure(invocation_bytes => 10000000)`;
    const [{ id }] = await sql<[{ id: number }]>`select backup.drill(drill_bytes => 200000000)::int as id`;
    await until("it has begun", async () => (await leftovers(scene)).length > 0 ? true : null);
    await sql`select backup.cancel_restore(${id})`;
    const restore = await scene.restored(id);
    await sql`select backup.configure(invocation_bytes => 80000000)`;
    assert.equal(restore.status, "cancelled");
    await cleaned(scene);
  });
});
