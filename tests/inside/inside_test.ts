/** From SQL alone: what is in a backup, rows of it, and tables back beside the living ones. */
import assert from "node:assert/strict";
import { SHOP, startScene } from "./scene.ts";

Deno.test("[inside] looks, copies beside, and a table that comes back", async (t) => {
  await using scene = await startScene();
  const { sql } = scene;
  await sql.unsafe(SHOP).simple();
  const ask = async (query: string) => Object.values((await sql.unsafe(query))[0]!)[0];
  const backup = (await scene.backUp()).name;

  await t.step("the contents of a backup, from SQL", async () => {
    const rows = await sql`select "table", rows::int from backup.contents where schema = 'public' order by 1`;
    assert.deepEqual(rows.map(({ table, rows }) => [table, rows]), [
      ["customers", 20],
      ["events_2025", 30],
      ["events_2026", 30],
      ["lines", 1500],
      ["orders", 500],
      ["sales_2025", 0],
    ]);
  });

  await t.step("rows, of a table and of a partitioned one", async () => {
    const found = await scene.peek("backup.peek('public.orders', rows => 2)");
    assert.deepEqual(
      found.map(({ status, record }) => [status, record!.id, record!.note, record!.state, record!.tags]),
      [
        [`row 1 in ${backup}`, "1", "tab\tand \\N 1", "open", '{a,"b c"}'],
        [`row 2 in ${backup}`, "2", "tab\tand \\N 2", "paid", '{a,"b c"}'],
      ],
    );
    assert.equal((await scene.peek("backup.peek('events', rows => 40)")).length, 40);
  });

  await t.step("a view is told apart, and asking again is possible", async () => {
    const [answer] = await scene.peek("backup.peek('public.sales')");
    assert.match(answer!.status, /^failed: public\.sales is a view, which has no rows of its own/);
  });

  await t.step("a table beside the living one, as plain columns", async () => {
    await sql`delete from public.lines where order_id in (17, 18)`;
    await sql`delete from public.orders where id in (17, 18)`;
    await sql`update public.orders set note = null, state = 'paid' where id = 19`;
    const restore = await scene.ask("backup.restore_table('public.orders')");
    assert.deepEqual([restore.status, restore.rows, restore.exceptions], ["succeeded", 500, []]);
    assert.match(restore.into_schema, /^restored_\d{8}$/);
    const types = await sql`
      select attname as name, format_type(atttypid, atttypmod) as type, atthasdef as "default"
      from pg_attribute where attrelid = ${`${restore.into_schema}.orders`}::regclass and attnum > 0 order by attnum`;
    assert.deepEqual(types.map(({ name, type }) => `${name} ${type}`), [
      "id bigint",
      "customer_id integer",
      "state text",
      "total text",
      "note character varying(40)",
      "tags text[]",
      "at timestamp with time zone",
    ]);
    assert.ok(types.every((column) => column.default === false));
    const keys = await sql`
      select contype from pg_constraint where conrelid = ${`${restore.into_schema}.orders`}::regclass and contype <> 'n'`;
    assert.deepEqual(keys.map(({ contype }) => contype), ["p"]);
    const differing = await sql.unsafe(`${restore.see_differences!.replace(/;\s*$/, "")} order by id`);
    assert.deepEqual(differing.map(({ id, what }) => `${id} ${what}`), ["17 gone", "18 gone", "19 changed"]);
    await sql.unsafe(restore.insert_missing!);
    await sql.unsafe(restore.update_changed!);
    assert.equal((await sql.unsafe(restore.see_differences!.replace(/;\s*$/, ""))).length, 0);
    assert.equal(await ask("select state from public.orders where id = 19"), "open");
    assert.equal(restore.create_again, null);
  });

  await t.step("rows by their key, simple and of two columns", async () => {
    const some = await scene.ask("backup.restore_rows('public.orders', array['17', '18', '9999'])");
    assert.deepEqual([some.status, some.rows], ["succeeded", 2]);
    assert.deepEqual(some.exceptions, [{ entry: "1 keys", why: "the backup has no rows with them: 9999" }]);
    assert.equal(
      await ask(`select string_agg(id::text, ',' order by id) from ${some.into_schema}.orders`),
      "17,18",
    );
    const lines = await scene.ask(`backup.restore_rows('lines', array['["17", "2"]'])`);
    assert.equal(await ask(`select string_agg(what, ',') from ${lines.into_schema}.lines`), "line 2");
    await sql.unsafe(lines.insert_missing!);
    assert.equal(await ask("select count(*)::int from public.lines where order_id = 17"), 1);
    const wrong = await scene.ask(`backup.restore_rows('lines', array['17'])`);
    assert.equal(wrong.status, "failed");
    assert.match(wrong.error_message!, /"17" is not a key of public.lines/);
    assert.equal(
      await ask(`select to_regnamespace('${wrong.into_schema}') is null`),
      true,
      "nothing is left",
    );
  });

  await t.step("a dropped table comes back with two statements", async () => {
    await sql`drop table public.lines, public.orders cascade`;
    const restore = await scene.ask("backup.restore_table('public.orders')");
    assert.equal(restore.insert_missing, null);
    await sql.unsafe(
      `do $$ begin execute (select create_again from backup.restores order by id desc limit 1); end $$`,
    );
    assert.equal(await ask("select count(*)::int from public.orders"), 500);
    assert.equal(await ask("select sum(tax)::int from public.orders"), 25050);
    assert.equal(
      await ask("select count(*)::int from public.sales"),
      500,
      "what depended on it is there again",
    );
    assert.equal(
      await ask("select relrowsecurity from pg_class where oid = 'public.orders'::regclass"),
      true,
    );
    assert.equal(
      await ask("select count(*)::int from pg_policy where polrelid = 'public.orders'::regclass"),
      1,
    );
    assert.equal(
      await ask(
        "select count(*)::int from pg_trigger where tgrelid = 'public.orders'::regclass and not tgisinternal",
      ),
      1,
    );
    assert.equal(
      await ask("select count(*)::int from pg_index where indrelid = 'public.orders'::regclass"),
      2,
    );
    await assert.rejects(
      sql`insert into public.orders (id, customer_id, total) values (1000, 1, -1)`,
      /amount_check/,
    );
    await assert.rejects(
      sql`insert into public.orders (id, customer_id, total) values (1000, 999, 1)`,
      /customer_id_fkey/,
    );
  });

  await t.step("a schema that is gone altogether comes back the same way", async () => {
    const restore = await scene.ask("backup.restore_schema('public', into_schema => 'side')");
    assert.deepEqual([restore.status, restore.exceptions], ["succeeded", []]);
    assert.equal(restore.rows, 20 + 60 + 1500 + 500);
    assert.equal(await ask("select count(*)::int from side.events"), 60);
    assert.match(restore.insert_missing!, /"customers"[^]*"orders"/, "referenced tables come first");
    assert.match(restore.create_again!, /CREATE TABLE public.lines/);
    await sql.unsafe(
      `do $$ begin execute (select create_again from backup.restores order by id desc limit 1); end $$`,
    );
    assert.equal(await ask("select count(*)::int from public.lines"), 1500);
    assert.equal(
      await ask(
        "select count(*)::int from pg_constraint where conrelid = 'public.lines'::regclass and contype = 'f'",
      ),
      1,
    );
  });

  await t.step("the copies are closed to the API", async () => {
    for (const role of ["anon", "authenticated", "service_role"]) {
      assert.equal(await ask(`select has_schema_privilege('${role}', 'side', 'usage')`), false);
    }
  });

  await t.step("nothing is left to do", async () => {
    assert.equal((await sql`select from backup._work() where purpose = 'restore' and pending`).length, 0);
  });
});
