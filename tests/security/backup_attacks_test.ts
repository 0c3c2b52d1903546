/**
 * A backup runs no code of a user. A role that owns a schema puts its functions wherever the server lets it; the server
 * itself counts calls of functions (`track_functions`), also of those whose transaction ended badly.
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { sessionsEnded, startProject } from "../e2e/project.ts";

/** Larger than an eighth of a slice: it is sampled. */
const ROWS = 20_000;

/** What a role with a schema of its own can make; each function of it must never be called by a backup. */
const HOSTILE: Record<string, string> = {
  "the row type": `
    create table tenant.big (id int, note text);
    create function tenant.row_text(tenant.big) returns text language plpgsql as $$ begin return 'x'; end $$;
    create cast (tenant.big as text) with function tenant.row_text(tenant.big) as implicit;
    create function tenant.row_json(tenant.big) returns json language plpgsql as $$ begin return '1'; end $$;
    create cast (tenant.big as json) with function tenant.row_json(tenant.big) as implicit;
    insert into tenant.big select g, repeat(md5(g::text), 5) from generate_series(1, ${ROWS}) g`,
  "a column's types": `
    create type tenant.mood as enum ('sad', 'glad');
    create type tenant.pair as (a int, b text);
    create domain tenant.short as text check (length(value) < 100);
    create type tenant.span as range (subtype = int4);
    create table tenant.typed (m tenant.mood, p tenant.pair, d tenant.short, s tenant.span,
      ms tenant.mood[], ps tenant.pair[], ds tenant.short[], filler text);
    create function tenant.mood_text(tenant.mood) returns text language plpgsql as $$ begin return 'x'; end $$;
    create function tenant.pair_text(tenant.pair) returns text language plpgsql as $$ begin return 'x'; end $$;
    create function tenant.span_text(tenant.span) returns text language plpgsql as $$ begin return 'x'; end $$;
    create function tenant.moods_text(tenant.mood[]) returns text language plpgsql as $$ begin return 'x'; end $$;
    create cast (tenant.mood as text) with function tenant.mood_text(tenant.mood) as implicit;
    create cast (tenant.pair as text) with function tenant.pair_text(tenant.pair) as assignment;
    create cast (tenant.span as text) with function tenant.span_text(tenant.span);
    insert into tenant.typed select 'sad', row(g, 'b')::tenant.pair, 'd', tenant.span(g, g + 1), '{sad}', null, '{d}',
      repeat(md5(g::text), 5) from generate_series(1, ${ROWS}) g`,
  "operators and an operator class": `
    create function tenant.mood_eq(tenant.mood, tenant.mood) returns bool language plpgsql immutable
      as $$ begin return enum_cmp($1, $2) = 0; end $$;
    create function tenant.mood_lt(tenant.mood, tenant.mood) returns bool language plpgsql immutable
      as $$ begin return enum_cmp($1, $2) < 0; end $$;
    create function tenant.mood_cmp(tenant.mood, tenant.mood) returns int language plpgsql immutable
      as $$ begin return enum_cmp($1, $2); end $$;
    create operator tenant.= (leftarg = tenant.mood, rightarg = tenant.mood, function = tenant.mood_eq);
    create operator tenant.< (leftarg = tenant.mood, rightarg = tenant.mood, function = tenant.mood_lt)`,
  "a row's own life": `
    create function tenant.value() returns int language plpgsql as $$ begin return 1; end $$;
    create function tenant.stored(int) returns int language plpgsql immutable as $$ begin return $1; end $$;
    create function tenant.fine(int) returns bool language plpgsql immutable as $$ begin return true; end $$;
    create function tenant.fire() returns trigger language plpgsql as $$ begin return new; end $$;
    create function tenant.seen(int) returns bool language plpgsql as $$ begin return true; end $$;
    create table tenant.alive (id int default tenant.value(), twice int generated always as (tenant.stored(id)) stored,
      check (tenant.fine(id)), filler text);
    create index on tenant.alive (tenant.stored(id)) where tenant.fine(id);
    create statistics tenant.guess on (tenant.stored(id)), id from tenant.alive;
    create trigger fire before insert or update on tenant.alive for each row execute function tenant.fire();
    create rule also as on update to tenant.alive do also select tenant.value();
    insert into tenant.alive (id, filler) select g, repeat(md5(g::text), 5) from generate_series(1, ${ROWS}) g;
    alter table tenant.alive enable row level security;
    alter table tenant.alive force row level security;
    create policy mine on tenant.alive using (tenant.seen(id))`,
  "views": `
    create view tenant.watched as select tenant.value() as value, * from tenant.big;
    create materialized view tenant.filled as select tenant.value() as value;
    create table tenant.parted (id int, k int default tenant.value()) partition by range ((tenant.stored(id)));
    create table tenant.part partition of tenant.parted for values from (0) to (10);
    insert into tenant.parted values (1, 1);
    create sequence tenant.numbers;
    create table tenant.numbered (id int default nextval('tenant.numbers') + tenant.value())`,
};

/** Functions and operators that match better than the server's own, for whoever finds them first. */
const SHADOWS = [
  "to_jsonb(boolean) returns jsonb",
  "to_jsonb(bigint) returns jsonb",
  "to_jsonb(text) returns jsonb",
  "to_jsonb(jsonb) returns jsonb",
  "to_jsonb(backup.log) returns jsonb",
  "to_jsonb(backup.settings) returns jsonb",
  "to_jsonb(backup.health) returns jsonb",
  "jsonb_array_elements_text(jsonb) returns setof text",
  "jsonb_agg(jsonb) returns jsonb",
  "json_build_object(text, text) returns json",
  "set_config(text, text, boolean) returns text",
  "current_setting(text) returns text",
  "pg_backend_pid() returns int",
  "pg_export_snapshot() returns text",
  "octet_length(text) returns int",
  "format(text, name, name) returns text",
  "hashtext(text) returns int",
  "pg_try_advisory_lock(int) returns boolean",
];

const OPERATORS = [
  ["=", "oid", "regclass"],
  ["=", "text", "text"],
  ["=", "bigint", "bigint"],
  ["=", "uuid", "uuid"],
  ["=", "int", "int"],
  ["<>", "text", "text"],
  ["->", "jsonb", "text"],
  ["-", "jsonb", "text"],
  ["+", "int", "int"],
] as const;

async function shadow(sql: postgres.Sql): Promise<void> {
  for (const signature of SHADOWS) {
    await sql.unsafe(
      `create function tenant.${signature} language plpgsql as $$ begin raise 'a shadow was called'; end $$`,
    );
  }
  for (const [index, [name, left, right]] of OPERATORS.entries()) {
    await sql.unsafe(`
      create function tenant.shadow_${index}(${left}, ${right}) returns text language plpgsql
        as $$ begin raise 'a shadow was called'; end $$;
      create operator tenant.${name} (leftarg = ${left}, rightarg = ${right}, function = tenant.shadow_${index})`);
  }
}

Deno.test("a backup", async (test) => {
  await using project = await startProject({ migrate: "directly" });
  const { sql, superuser } = project;
  await superuser`alter system set track_functions = 'all'`;
  await superuser`select pg_reload_conf()`;
  await superuser`create role tenant`;
  await superuser`create schema tenant authorization tenant`;
  await superuser`grant usage on schema tenant to postgres`;
  await superuser`grant tenant to postgres`;
  await superuser`grant usage on schema backup to tenant`;
  const asTenant = (statements: string) =>
    superuser.unsafe(`set role tenant; ${statements}; reset role; select pg_stat_force_next_flush()`)
      .simple();
  await sql`select backup.configure(slice_bytes => 4194304)`;

  /** Calls of the tenant's functions since the last look. */
  let before = new Map<string, number>();
  const called = async () => {
    // A session's counts are there at its end.
    await sessionsEnded(superuser);
    const rows = await superuser<{ name: string; calls: number }[]>`
      select s.funcid::regprocedure::text as name, s.calls::int
      from pg_stat_user_functions s join pg_proc p on p.oid = s.funcid
      where p.proowner = 'tenant'::regrole`;
    const since = rows.filter(({ name, calls }) => calls > (before.get(name) ?? 0)).map(({ name }) => name);
    before = new Map(rows.map(({ name, calls }) => [name, calls]));
    return since;
  };
  const backUp = async () => {
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", `${run.error_code} ${run.error_message}`);
    return run;
  };

  await test.step("runs nothing that belongs to the row types, columns, rows and views of a user", async () => {
    for (const [name, statements] of Object.entries(HOSTILE)) {
      await asTenant(statements).catch((error) => assert.fail(`${name}: ${error.message}`));
    }
    assert.ok((await called()).length > 3, "what the owner itself runs is counted");
    await backUp();
    assert.deepEqual(await called(), []);
  });

  await test.step("resolves no name by the search_path of role or database", async () => {
    await superuser.unsafe("grant tenant to supabase_admin").catch(() => {});
    await shadow(superuser);
    await superuser.unsafe(`
      do $$ declare f regprocedure; begin
        for f in select oid::regprocedure from pg_proc where pronamespace = 'tenant'::regnamespace loop
          execute format('alter function %s owner to tenant', f);
        end loop;
      end $$`);
    const [{ name }] = await superuser<[{ name: string }]>`select current_database() as name`;
    await superuser.unsafe(`alter database ${name} set search_path = tenant, public, pg_catalog`);
    await superuser.unsafe(`alter role postgres set search_path = tenant, public, pg_catalog`);
    const control = { headers: { authorization: `Bearer ${project.stack.keys.secretKey}` } };
    try {
      await backUp();
      for (const body of [{ log: {} }, { health: true }, { prune: {} }, { alert: "test" }]) {
        const response = await fetch(`${project.stack.apiUrl}/functions/v1/backup`, {
          method: "POST",
          body: JSON.stringify(body),
          ...control,
        });
        assert.equal(response.status, 200, await response.text());
      }
      assert.deepEqual(await called(), []);
    } finally {
      await superuser.unsafe(
        `alter database ${name} reset search_path; alter role postgres reset search_path`,
      )
        .simple();
    }
  });
});
