/** The engine as a whole: one transaction, what is there already, what a role may, what a forged archive tries. */
import assert from "node:assert/strict";
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { loadFile } from "../corpus/programs.ts";
import { startScene } from "./scene.ts";

const PLAYS = `
  create table public.plays (id int primary key, title text);
  insert into public.plays values (1, 'Hamlet'), (2, 'Faust');
  create view public.titles as select title from public.plays;
  alter table public.plays enable row level security;
  create policy everybody on public.plays using (true);`;

function failure(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof BackupError && error.code === "restore_failed", String(error));
    assert.match(`${error.message} ${error.hint}`, message);
    return true;
  };
}

/** What a server says in German, to a role that may not set lc_messages. */
function inGerman(session: Session): Session {
  const translate = (error: { where?: string }) => {
    if (error.where) {
      error.where = error.where.replaceAll(", line ", ", Zeile ").replaceAll(", column ", ", Spalte ")
        .replaceAll(" function ", "-Funktion ");
    }
    throw error;
  };
  const unsafe = async (text: string) => await session.sql.unsafe(text).catch(translate);
  return {
    ...session,
    sql: { unsafe } as unknown as Session["sql"],
    copyIn: (statement, text) => session.copyIn(statement, text).catch(translate),
  };
}

Deno.test("[restore]", async (test) => {
  const scene = await startScene({ allow_in_place_tablespaces: "on" });
  const tables =
    "select count(*)::int from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')";
  try {
    await test.step("stops where the target has something of that name, and changes nothing", async () => {
      const input = await scene.backUp(PLAYS);
      await scene.target.sql.unsafe("create view public.titles as select 1 as one");
      await assert.rejects(
        restore(input),
        failure(/VIEW public\.titles.*already exists.*Nothing was changed.*--clean/s),
      );
      assert.equal(await scene.ask(tables), 1);
    });

    await test.step("clean drops what is there, and does not mind what is not", async () => {
      const input = await scene.backUp(PLAYS);
      await scene.target.sql.unsafe(
        "create table public.plays (other text); insert into public.plays values ('x')",
      );
      await restore({ ...input, options: { clean: true } });
      assert.equal(await scene.ask("select title from plays order by id"), "Hamlet");
      await scene.target.sql.unsafe("delete from plays");
      await restore({ ...input, options: { clean: true } });
      assert.equal(await scene.ask("select count(*)::int from plays"), 2);
    });

    await test.step("clean stops where something else depends on it, and changes nothing", async () => {
      const input = await scene.backUp(PLAYS);
      await restore(input);
      await scene.target.sql.unsafe(
        "create view public.others as select * from public.plays; delete from plays where id = 1",
      );
      await assert.rejects(
        restore({ ...input, options: { clean: true } }),
        failure(/other objects depend on it.*Nothing/s),
      );
      assert.equal(await scene.ask("select count(*)::int from plays"), 1);
    });

    await test.step("strict stops at the first entry that the server refuses", async () => {
      const input = await scene.backUp(`${PLAYS}
        create materialized view public.shares as select 10 / (id - 1) as share from public.plays where id > 1;
        update public.plays set id = 3 where id = 1; insert into public.plays values (1, 'Medea');
        refresh materialized view public.shares;`);
      const spoilt = input.plan.entries.map((entry) =>
        entry.desc === "VIEW"
          ? { ...entry, definition: "CREATE VIEW public.titles AS SELECT nothing;" }
          : entry
      );
      await assert.rejects(
        restore({ ...input, plan: { entries: spoilt }, options: { strict: true } }),
        failure(/VIEW public\.titles.*Nothing was changed/s),
      );
      assert.equal(await scene.ask(tables), 0);
      assert.equal((await restore({ ...input, options: { strict: true } })).outcome, "restored");
    });

    await test.step("strict loses nothing to names without a schema, nor to an order of rows", async () => {
      const account = await scene.trip(
        `create table public.z_words (w text); insert into public.z_words values ('yes');
         create function public.known(v text) returns boolean language plpgsql as
           'begin return exists (select from z_words where w = v); end';
         create table public.texts (w text check (public.known(w))); insert into public.texts values ('yes');
         create function public.all_words() returns bigint language sql stable as 'select count(*) from z_words';
         create materialized view public.counts as select public.all_words() as n;`,
        { strict: true },
      );
      assert.equal(account.outcome, "restored");
      assert.equal(await scene.ask("select n::int from counts"), 1);
      const [source, target] = await scene.dumps();
      assert.equal(target, source);
    });

    await test.step("an entry that ends the transaction gets nothing in", async () => {
      const input = await scene.backUp(PLAYS);
      const forged = (definition: string) =>
        input.plan.entries.map((entry) => entry.desc === "VIEW" ? { ...entry, definition } : entry);
      for (
        const definition of ["COMMIT; BEGIN;", "ROLLBACK; BEGIN;", "COMMIT;", "COMMIT; BEGIN; SAVEPOINT a;"]
      ) {
        await assert.rejects(restore({ ...input, plan: { entries: forged(definition) } }), definition);
        assert.equal(await scene.ask("select count(*)::int from pg_class where relname = 'titles'"), 0);
        await scene.target.sql.unsafe("drop schema public cascade; create schema public");
      }
    });

    await test.step("rows come from the archive and from nowhere else", async () => {
      const input = await scene.backUp(PLAYS);
      for (
        const copy of [
          "COPY public.plays (id, title) FROM PROGRAM 'touch x';\n",
          "COPY public.plays (id, title) FROM stdin; DROP TABLE public.plays;\n",
          "COPY public.plays (id, title) FROM '/etc/passwd';\n",
          "",
        ]
      ) {
        const entries = input.plan.entries.map((entry) => entry.hasData ? { ...entry, copy } : entry);
        await assert.rejects(
          restore({ ...input, plan: { entries } }),
          failure(/TABLE DATA public\.plays: its rows are/),
        );
        assert.equal(await scene.ask(tables), 0);
      }
    });

    await test.step("entries see no search_path of the role's, and a temporary object takes no name", async () => {
      const input = await scene.backUp("create table public.plays (id int);");
      const entries: Entry[] = input.plan.entries.flatMap((entry) =>
        entry.desc === "TABLE"
          ? [
            {
              ...entry,
              dumpId: 9000,
              tag: "a",
              definition: "create domain pg_temp.text as pg_catalog.int4;",
              drop: null,
            },
            {
              ...entry,
              dumpId: 9001,
              tag: "b",
              definition: "create table public.named (t text);",
              drop: null,
            },
          ]
          : [entry]
      );
      await restore({ ...input, plan: { entries } });
      assert.equal(
        await scene.ask(
          "select atttypid::regtype::text from pg_attribute where attrelid = 'named'::regclass and attnum = 1",
        ),
        "text",
      );
    });

    await test.step("an event trigger that forbids what a restore does is off meanwhile, and on again", async () => {
      const input = await scene.backUp(PLAYS);
      await scene.target.sql.unsafe(`
        create schema rules;
        create function rules.forbid() returns event_trigger language plpgsql as
          $$ begin raise exception 'no tables here, please'; end $$;
        create event trigger no_tables on ddl_command_end when tag in ('CREATE TABLE') execute function rules.forbid();
        alter event trigger no_tables enable always`);
      const account = await restore(input);
      assert.deepEqual([account.outcome, account.leftOut], ["restored", []]);
      assert.match(account.notes.join(), /no_tables/);
      assert.equal(await scene.ask("select evtenabled::text from pg_event_trigger"), "A");
    });

    await test.step("an event trigger that forbids to drop is off meanwhile as well", async () => {
      const input = await scene.backUp(PLAYS);
      await restore(input);
      await scene.target.sql.unsafe(`
        create schema rules;
        create function rules."keep.it"() returns event_trigger language plpgsql as
          $$ begin raise exception 'nothing is dropped here'; end $$;
        create event trigger no_drops on sql_drop execute function rules."keep.it"()`);
      const account = await restore({ ...input, options: { clean: true } });
      assert.deepEqual([account.outcome, account.leftOut], ["restored", []]);
      assert.match(account.notes.join(), /no_drops/);
      assert.equal(await scene.ask("select evtenabled::text from pg_event_trigger"), "O");
    });

    await test.step("a server may speak another language to a role that cannot change it", async () => {
      const input = await scene.backUp(`
        create table public.notes (id int primary key, note text);
        insert into public.notes select n, 'note ' || n from generate_series(1, 3000) n;
        update public.notes set note = repeat('x', 30) where id in (5, 2999)`);
      const entries = input.plan.entries.map((entry) =>
        entry.desc === "TABLE"
          ? { ...entry, definition: entry.definition!.replace("note text", "note character varying(20)") }
          : entry
      );
      await scene.target.sql.unsafe(`
        create schema rules;
        create function rules.forbid() returns event_trigger language plpgsql as
          $$ begin raise exception 'keine Tabellen'; end $$;
        create event trigger no_tables on ddl_command_end when tag in ('CREATE TABLE') execute function rules.forbid()`);
      const account = await restore({
        ...input,
        plan: { entries },
        open: async () => inGerman(await input.open()),
      });
      assert.deepEqual(account.aside.map(({ table, rows }) => [table, rows]), [["public.notes", 2]]);
      assert.match(account.aside[0]!.why, /Zeile/);
      assert.equal(await scene.ask("select count(*)::int from notes"), 2998);
      assert.match(account.notes.join(), /no_tables/);
    });

    await test.step("a table is not opened where its row level security cannot be switched on", async () => {
      const input = await scene.backUp(`${PLAYS} grant select on public.plays to public;`);
      const entries = input.plan.entries.map((entry) =>
        entry.desc === "ROW SECURITY" ? { ...entry, definition: "select pg_catalog.nothing();" } : entry
      );
      const account = await restore({ ...input, plan: { entries } });
      assert.deepEqual(account.leftOut.map(({ entry }) => entry), [
        "ACL public.TABLE plays",
        "ROW SECURITY public.plays",
      ]);
      assert.equal(await scene.ask("select count(*)::int from plays"), 2);
      assert.equal(
        await scene.ask("select has_table_privilege('pg_monitor', 'public.plays', 'select')"),
        false,
      );
    });

    await test.step("a check that sleeps is NOT VALID where statements have a timeout, and the rest comes back", async () => {
      const account = await scene.trip(
        `create function public.slow(n int) returns boolean language plpgsql as
           'begin perform pg_sleep(case when n > 0 then 30 else 0 end); return true; end';
         create table public.sleepy (n int constraint sleeps check (public.slow(n)));
         insert into public.sleepy select 0 from generate_series(1, 10); alter table public.sleepy disable trigger all;
         create or replace function public.slow(n int) returns boolean language plpgsql as
           'begin perform pg_sleep(30); return true; end';
         create table public.z_others (n int); insert into public.z_others values (1);`,
        { statementTimeoutMs: 500 },
      );
      assert.deepEqual(account.changed.map(({ entry }) => entry), ["CHECK CONSTRAINT public.sleepy sleeps"]);
      assert.match(account.changed[0]!.why, /statement timeout/);
      assert.equal(await scene.ask("select count(*)::int from sleepy"), 10);
      assert.equal(await scene.ask("select count(*)::int from z_others"), 1);
    });

    await test.step("strict, a materialized view that takes too long ends the restore", async () => {
      const input = await scene.backUp(`
        create table public.plays (id int); insert into public.plays values (0);
        create function public.wait() returns int language plpgsql as 'begin perform pg_sleep(30); return 1; end';
        create materialized view public.sleepy as select public.wait() as w from public.plays where id > 0;
        update public.plays set id = 1;`);
      await assert.rejects(
        restore({ ...input, options: { strict: true, refreshTimeoutMs: 500 } }),
        failure(/MATERIALIZED VIEW DATA public\.sleepy: .*statement timeout.*Nothing was changed/s),
      );
      assert.equal(await scene.ask(tables), 0);
    });

    await test.step("row level security comes back as it was, whatever the target does with new tables", async () => {
      const input = await scene.backUp(`${PLAYS} create table public.open_to_all (id int);`);
      await scene.target.sql.unsafe(`
        create schema rules;
        create function rules.secure() returns event_trigger language plpgsql as $$
        declare command record; begin
          for command in select * from pg_event_trigger_ddl_commands() where object_type = 'table' loop
            execute format('alter table %s enable row level security', command.object_identity);
          end loop; end $$;
        create event trigger ensure_rls on ddl_command_end when tag in ('CREATE TABLE') execute function rules.secure();`);
      const account = await restore(input);
      assert.equal(account.outcome, "restored");
      assert.equal(
        await scene.ask("select string_agg(relname, ',') from pg_class where relrowsecurity"),
        "plays",
      );
      assert.match(account.notes.join(), /open_to_all/);
    });

    await test.step("steps before must succeed, steps after are exceptions", async () => {
      const input = await scene.backUp(PLAYS);
      const bad = { what: "settings of the moon", sql: "select nothing" };
      await assert.rejects(
        restore({ ...input, plan: { ...input.plan, before: [bad] } }),
        failure(/settings of the moon/),
      );
      assert.equal(await scene.ask(tables), 0);
      const good = { what: "a comment", sql: "comment on table public.plays is 'restored'" };
      const account = await restore({ ...input, plan: { ...input.plan, after: [bad, good] } });
      assert.deepEqual(account.leftOut.map(({ entry }) => entry), ["settings of the moon"]);
      assert.equal(await scene.ask("select obj_description('plays'::regclass)"), "restored");
    });

    await test.step("a role that is not a superuser restores what it may", async () => {
      const input = await scene.backUp(
        `${PLAYS} create function public.f() returns int language internal as 'pg_backend_pid';`,
      );
      await scene.target.sql.unsafe(
        "drop role if exists keeper; create role keeper login; grant all on schema public to keeper",
      );
      const account = await restore({
        ...input,
        open: () => openSession(scene.cluster.url("target", "keeper")),
        options: { owners: false },
      });
      assert.deepEqual(account.leftOut.map(({ entry }) => entry), ["FUNCTION public.f()"]);
      assert.equal(await scene.ask("select count(*)::int from plays"), 2);
    });

    await test.step("a materialized view that takes too long stays empty", async () => {
      const account = await scene.trip(
        `create table public.plays (id int);
         create materialized view public.slow as select pg_sleep(0) is null as slept from public.plays where id > 0;
         create function public.wait() returns int language plpgsql as 'begin perform pg_sleep(30); return 1; end';
         create materialized view public.sleepy as select public.wait() as w from public.plays;
         insert into public.plays values (0);`,
        { refreshTimeoutMs: 500 },
      );
      assert.deepEqual(account.changed.map(({ entry }) => entry), ["MATERIALIZED VIEW DATA public.sleepy"]);
      assert.match(account.changed[0]!.why, /statement timeout/);
    });

    await test.step("an owner, a tablespace or a grant that cannot be is told, and the rest comes back", async () => {
      const input = await scene.backUp(`${PLAYS}
        drop role if exists somebody, other; create role somebody; create role other; alter table public.plays owner to somebody;
        grant select on public.plays to public; grant insert on public.plays to other;`);
      const renamed = (text: string | null) => text?.replaceAll("other", "nobody_else") ?? null;
      const entries = input.plan.entries.map((entry) =>
        entry.desc === "ACL" ? { ...entry, definition: renamed(entry.definition) } : {
          ...entry,
          owner: entry.owner === "somebody" ? "nobody" : entry.owner,
          tablespace: entry.desc === "TABLE" ? "nowhere" : entry.tablespace,
        }
      );
      const account = await restore({ ...input, plan: { entries } });
      assert.equal(await scene.ask("select count(*)::int from plays"), 2);
      assert.equal(await scene.ask("select has_table_privilege('public.plays', 'select')"), true);
      assert.deepEqual(account.leftOut, []);
      assert.deepEqual(account.changed.map(({ entry, how }) => `${entry}: ${how}`), [
        "TABLE public.plays: it does not belong to nobody, it is not in tablespace nowhere",
        "ACL public.TABLE plays: without 1 of its 2 grants",
      ]);
    });

    await test.step("several connections restore the same as one", async () => {
      const folder = decodeURIComponent(new URL("../corpus/", import.meta.url).pathname);
      await loadFile(scene.cluster, "postgres", `${folder}cluster.sql`);
      const setup = await Deno.readTextFile(`${folder}mixed--theatre/setup.sql`);
      const account = await scene.trip(
        `${setup}
        create table public.filler (id int primary key, v text);
        insert into public.filler select n, repeat('x', 100) from generate_series(1, 20000) n;
        create index on public.filler (v); create index on public.filler (id, v);
        create table public.parted (id int primary key, f int references public.filler) partition by hash (id);
        create table public.parted_0 partition of public.parted for values with (modulus 2, remainder 0);
        create table public.parted_1 partition of public.parted for values with (modulus 2, remainder 1);
        insert into public.parted select n, n from generate_series(1, 1000) n;
        create table public.children (p int references public.parted);
        insert into public.children select 7;`,
        { jobs: 4 },
      );
      assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
      const [source, target] = await scene.dumps();
      assert.equal(target, source);
    });

    await test.step("several connections stop with what they began", async () => {
      const input = await scene.backUp(PLAYS);
      await scene.target.sql.unsafe("create table public.other (id int constraint plays_pkey primary key)");
      await assert.rejects(
        restore({ ...input, options: { jobs: 2 } }),
        failure(
          /CONSTRAINT public\.plays plays_pkey: relation "plays_pkey" already exists.*What came before it is in the target/s,
        ),
      );
    });

    await test.step("large objects come back with owner and grants", async () => {
      await scene.trip(`select lo_from_bytea(4711, decode(repeat('00ff10', 400000), 'hex'));
        select lo_from_bytea(3000000000, ''); select lo_from_bytea(4712, 'small'); grant select on large object 4712 to public;`);
      assert.equal(
        await scene.ask("select md5(lo_get(4711)) = md5(decode(repeat('00ff10', 400000), 'hex'))"),
        true,
      );
      assert.equal(await scene.ask("select convert_from(lo_get(4712), 'UTF8')"), "small");
      const [source, target] = await scene.dumps();
      assert.equal(target, source);
    });
  } finally {
    await scene.stop();
  }
});
