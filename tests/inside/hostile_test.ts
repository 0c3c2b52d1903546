/**
 * The owner of a schema makes code that runs when its tables are restored: it must gain nothing, and in a copy not even
 * run.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startScene } from "./scene.ts";

const TENANT = `
  create role tenant login password 'of the tenant';
  create schema tenant authorization tenant;
`;

/** Tries everything that would make its owner more than it is, and notes as whom it ran. */
const EVIL = `
  create table tenant.seen (who text, place text);
  create function tenant.evil(anyelement) returns boolean language plpgsql as $$
  declare
    attempt text;
  begin
    foreach attempt in array array[
      'insert into tenant.seen values (current_user, current_database())',
      'reset role', 'set role postgres', 'set session authorization postgres',
      'alter role tenant createrole createdb', 'grant postgres to tenant', 'create role tenant_2 superuser',
      'grant scratch_of_backup_drill to tenant', 'alter role scratch_of_backup_drill createrole',
      'alter database postgres owner to tenant', 'drop database postgres', 'create extension dblink',
      'copy tenant.seen from program ''id''', 'select pg_read_file(''/etc/passwd'')', 'alter system set work_mem = 1'
    ] loop
      begin
        execute attempt;
        if attempt !~ '^(insert|reset)' then insert into tenant.seen values ('done: ' || attempt, current_database()); end if;
      exception when others then
      end;
    end loop;
    return true;
  end $$;
  create type tenant.mood as enum ('good');
  create function tenant.cast_it(tenant.mood) returns text language sql immutable as $$ select tenant.evil(1)::text $$;
  create cast (tenant.mood as text) with function tenant.cast_it(tenant.mood) as assignment;
  create domain tenant.checked as int check (tenant.evil(value));
  create table tenant.orders (
    id int primary key, mood tenant.mood, n tenant.checked default 1, check (tenant.evil(id)),
    made boolean generated always as (true) stored
  );
  create function tenant.on_index(int) returns int language sql immutable as $$ select tenant.evil($1)::int $$;
  insert into tenant.orders (id, mood) values (1, 'good'), (2, 'good');
  create index on tenant.orders (tenant.on_index(id));
  create function tenant.on_row() returns trigger language plpgsql as $$ begin perform tenant.evil(1); return new; end $$;
  create trigger on_row before insert or update on tenant.orders for each row execute function tenant.on_row();
`;

const WHAT_IT_IS = `
  select rolname, rolsuper, rolcreaterole, rolcreatedb, (select count(*)::int from pg_auth_members m where m.member = r.oid) as groups
  from pg_roles r where rolname like 'tenant%'`;

Deno.test("[inside] code of a table's owner gains nothing", async (t) => {
  await using scene = await startScene();
  const { sql, superuser } = scene;
  await superuser.unsafe(TENANT).simple();
  // In a session of its own: what only did `set role` could become what it was.
  const url = new URL(scene.stack.databaseUrl);
  [url.username, url.password] = ["tenant", "of the tenant"];
  const tenant = postgres(url.href, { max: 1, onnotice: () => {} });
  await tenant.unsafe(EVIL).simple();
  await tenant.end();
  const before = await superuser.unsafe(WHAT_IT_IS);
  await superuser`truncate tenant.seen`;
  assert.equal((await scene.backUp()).status, "succeeded");
  const seen = async () => await superuser`select who, place from tenant.seen`;
  assert.deepEqual([...await seen()], [], "a backup runs none of it");

  await t.step("a copy beside does not run it", async () => {
    const restore = await scene.ask("backup.restore_table('tenant.orders')");
    assert.deepEqual([restore.status, restore.rows, restore.exceptions], ["succeeded", 2, []]);
    assert.deepEqual([...await seen()], []);
    const [found] = await sql.unsafe(
      `select string_agg(mood || n, ',') as all from ${restore.into_schema}.orders`,
    );
    assert.equal(found!.all, "good1,good1");
    await scene.ask("backup.restore_rows('tenant.orders', array['1'])");
    await scene.peek("backup.peek('tenant.orders')");
    assert.deepEqual([...await seen()], []);
  });

  await t.step("a drill does not run it, and says so", async () => {
    const { restore, drill } = await scene.drill();
    assert.equal(restore.status, "succeeded", restore.error_message ?? "");
    assert.deepEqual(drill!.checks.filter(({ outcome }) => outcome === "failed"), []);
    const left = drill!.checks.find(({ what }) => what === "objects of roles that others can act as");
    assert.match(left!.detail, /TABLE tenant\.orders/);
    assert.deepEqual([...await seen()], [], "not in the living database");
    assert.deepEqual([...await superuser.unsafe(WHAT_IT_IS)], [...before]);
    const databases =
      await superuser`select pg_get_userbyid(datdba) as owner from pg_database where datname = 'postgres'`;
    assert.notEqual(databases[0]!.owner, "tenant");
  });
});

Deno.test("[inside] names that break out of statements do not", async () => {
  await using scene = await startScene();
  const { sql } = scene;
  const name = `a"b'; drop table public.kept; --`;
  await sql.unsafe(`
    create table public.kept (id int primary key);
    create table public."a""b'; drop table public.kept; --" ("k'""; --" int primary key, "x, y" text);
    insert into public."a""b'; drop table public.kept; --" values (1, 'one'), (2, 'two');
  `).simple();
  await scene.backUp();
  const [row] = await sql<
    { id: number }[]
  >`select backup.restore_table(${`public.${name}`}, into_schema => ${`s"'; --`})::int as id`;
  const restore = await scene.restored(row!.id);
  assert.deepEqual([restore.status, restore.rows], ["succeeded", 2]);
  await sql.unsafe(`delete from public."a""b'; drop table public.kept; --" where "x, y" = 'two'`);
  await sql.unsafe(restore.insert_missing!);
  const [count] = await sql`select count(*)::int as n from public."a""b'; drop table public.kept; --"`;
  assert.equal(count!.n, 2);
  await sql`select from public.kept`;
});
