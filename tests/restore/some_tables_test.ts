/** A restore of some tables: with what is theirs, and without what would need the others. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import { adviceOn } from "../../cli/restore/pg_error_hints.ts";
import { openArchive } from "../../cli/source/archive_file.ts";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { makePlan, type RestoreOptions, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";

const SOURCE = `
  create table public.plays (id int primary key, title text);
  insert into public.plays values (1, 'Hamlet'), (2, 'Medea');
  create table public.shows (play int not null references public.plays, day date, primary key (play, day)) partition by range (day);
  create table public.shows_2026 partition of public.shows for values from ('2026-01-01') to ('2027-01-01') partition by list (play);
  create table public.shows_2026_1 partition of public.shows_2026 for values in (1);
  create table public.shows_other partition of public.shows default;
  insert into public.shows values (1, '2026-11-22'), (2, '2027-11-22');
  create index shows_day on public.shows (day);
  create view public.next as select * from public.shows where day > now();
  comment on view public.next is 'What comes';
`;

/** Of the target only: none of it is in the backup. */
const SINCE = `
  create view public.seasons as select extract(year from day) as year, count(*) from public.shows group by 1;
  comment on view public.seasons is 'Shows by year';
  grant select on public.seasons to reader;
  create materialized view public.busy as select * from public.seasons;
  create function public.of_play(p public.plays) returns text language sql as $f$ select p.title $f$;
  create table public.tickets (id int primary key, play int references public.plays on delete cascade);
  insert into public.tickets values (1, 1), (2, 2);
  create publication public_tickets for table public.plays;
`;

Deno.test("some tables of a backup", async (test) => {
  const folder = await Deno.makeTempDir();
  const server = await startCluster();
  const admin = postgres(server.url(), { max: 1, onnotice: () => {} });
  const restore = async (some: Partial<RestoreOptions>) => {
    const archive = await openArchive(`${folder}/archive`);
    const target = await openTarget(server.url("target"));
    try {
      const options = { ...WHOLE, ...some };
      const plan = await makePlan(archive, target, options);
      await runRestore(archive, target, plan, options);
      const checks = await compareRestored(archive, null, plan, target, { wasEmpty: false });
      assert.deepEqual(
        checks.filter(({ outcome }) => outcome === "failed"),
        [],
        checksTable(checks).join("\n"),
      );
      return plan;
    } finally {
      await target.session.close();
    }
  };
  const inTarget = async (query: string) => {
    const sql = postgres(server.url("target"), { max: 1, onnotice: () => {} });
    return [...await sql.unsafe(query).finally(() => sql.end())].map((row) => ({ ...row }));
  };
  const empty = async () => {
    await admin`drop database if exists target with (force)`;
    await admin`create database target template template0`;
  };
  try {
    await admin`create database source`;
    const source = postgres(server.url("source"), { max: 1, onnotice: () => {} });
    await source.unsafe(SOURCE).simple().finally(() => source.end());
    using file = await Deno.open(`${folder}/archive`, { write: true, create: true });
    await dumpDatabase(server.url("source"), async (bytes) => {
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    });

    await test.step("a partitioned one comes with its partitions, and without a key to what is not there", async () => {
      await empty();
      const { leftOut } = await restore({ tables: ["public.shows"] });
      assert.deepEqual(leftOut, [{
        what: "FK CONSTRAINT public.shows shows_play_fkey",
        why: "it refers to public.plays, which is missing from the target",
      }]);
      assert.deepEqual(
        await inTarget("select play, tableoid::regclass::text as part from public.shows order by 1"),
        [{ play: 1, part: "shows_2026_1" }, { play: 2, part: "shows_other" }],
      );
      const [indexes] = await inTarget(
        "select count(*)::int as attached from pg_inherits i join pg_class c on c.oid = i.inhrelid where relkind in ('i', 'I')",
      );
      assert.equal(indexes!.attached, 6);
    });

    await test.step("together they have their key", async () => {
      await empty();
      const { leftOut } = await restore({ tables: ["public.shows", "public.plays"] });
      assert.deepEqual(leftOut, []);
      assert.equal(
        (await inTarget("select from pg_constraint where conname = 'shows_play_fkey' and conparentid = 0"))
          .length,
        1,
      );
    });

    await test.step("and are dropped and made again where they are", async () => {
      await restore({ tables: ["public.shows", "public.plays"], clean: true });
      assert.equal((await inTarget("select from public.shows")).length, 2);
    });

    const hanging = () =>
      inTarget(`
        select count(*)::int as rows, obj_description('public.seasons'::regclass) as comment,
          has_table_privilege('reader', 'public.seasons', 'select') as granted,
          (select count(*)::int from public.busy) as busy, (select public.of_play(p) from public.plays p where id = 1) as title,
          (select confdeltype::text from pg_constraint where conname = 'tickets_play_fkey' and convalidated) as key,
          (select string_agg(tablename, ' ') from pg_publication_tables) as published
        from public.seasons`);

    await test.step("what hangs on them is made again as it was: keys of other tables, views, functions, publications", async () => {
      await admin`create role reader nologin`;
      await inTarget(SINCE);
      await inTarget("update public.plays set title = 'overwritten'");
      const { dependents: again } = await restore({ tables: ["public.plays"], clean: true });
      assert.deepEqual(again.map(({ desc, tag }) => `${desc} ${tag}`), [
        "FUNCTION of_play(public.plays)",
        "FK CONSTRAINT shows shows_play_fkey",
        "FK CONSTRAINT tickets tickets_play_fkey",
        "PUBLICATION TABLE public_tickets plays",
      ]);
      await inTarget("delete from public.shows");
      await restore({ tables: ["public.shows"], clean: true });
      await restore({ tables: ["public.plays", "public.shows"], clean: true, jobs: 2 });
      assert.deepEqual(await hanging(), [{
        rows: 2,
        comment: "Shows by year",
        granted: true,
        busy: 2,
        title: "Hamlet",
        key: "c",
        published: "plays",
      }]);
    });

    await test.step("a view comes alone, also where it is", async () => {
      await inTarget("create or replace view public.next as select play, day from public.shows");
      await restore({ tables: ["public.next"], clean: true });
      await inTarget("drop view public.next");
      await restore({ tables: ["public.next"] });
      assert.deepEqual(
        await inTarget("select play, obj_description('public.next'::regclass) as comment from public.next"),
        [{ play: 2, comment: "What comes" }],
      );
    });

    await test.step("a partition is attached again, with its indexes", async () => {
      await inTarget("delete from public.shows_other");
      await restore({ tables: ["public.shows_other"], clean: true });
      assert.equal((await inTarget("select from public.shows")).length, 2);
      const [indexes] = await inTarget(
        "select count(*)::int as attached from pg_inherits i join pg_class c on c.oid = i.inhrelid where relkind in ('i', 'I')",
      );
      assert.equal(indexes!.attached, 6);
    });

    await test.step("not where a key of another table would break, and not where a table's rows would go: then nothing is changed", async () => {
      const before = await hanging();
      await inTarget(
        "insert into public.plays values (3, 'Later'); insert into public.tickets values (3, 3)",
      );
      await assert.rejects(restore({ tables: ["public.plays"], clean: true }), {
        message:
          /FK CONSTRAINT public\.tickets tickets_play_fkey: insert or update on table "tickets" violates foreign key/,
        hint: /Nothing was changed/,
      });
      await inTarget("create table public.tours (play public.plays)");
      await assert.rejects(restore({ tables: ["public.plays"], clean: true }), {
        message: /hold data of their own: table public\.tours$/,
        hint: /--table[\s\S]*--into-schema/,
      });
      await inTarget(
        `create table public.shows_2030 partition of public.shows for values from ('2030-01-01') to ('2031-01-01')`,
      );
      await assert.rejects(
        restore({ tables: ["public.shows"], clean: true }),
        /hold data of their own: table public\.shows_2030$/,
      );
      await inTarget("drop table public.shows_2030");
      await inTarget(
        "drop table public.tours; delete from public.tickets where id = 3; delete from public.plays where id = 3",
      );
      assert.deepEqual(await hanging(), before);
    });

    await test.step("what went with drop … cascade is named, and comes with its table when asked for", async () => {
      await inTarget("drop table public.plays cascade");
      const { notes } = await restore({ tables: ["public.plays"] });
      assert.deepEqual(notes, [
        "fk constraint public.shows shows_play_fkey depend on it and are missing from the target; add --with-dependents to restore them",
      ]);
      await inTarget("drop table public.plays, public.shows cascade");
      await restore({ tables: ["public.shows"] });
      await inTarget("drop view if exists public.next");
      await restore({ tables: ["public.plays"], withDependents: true });
      const keys = "select conname from pg_constraint where contype = 'f' and conparentid = 0";
      assert.deepEqual(await inTarget(keys), [{ conname: "shows_play_fkey" }]);
      await inTarget("drop table public.shows cascade");
      await restore({ tables: ["public.shows"], withDependents: true });
      assert.equal((await inTarget("select from public.next")).length, 1);
    });

    await test.step("what the server says to others comes with advice", async () => {
      const said = async (some: Partial<RestoreOptions>) =>
        await restore(some).then(() => "", (error) => error.hint);
      assert.match(
        adviceOn("", "because other objects depend on it"),
        /Objects depend on it that are not in this restore/,
      );
      assert.match(await said({ tables: ["public.plays"], dataOnly: true }), /The rows exist already/);
      await empty();
      assert.match(
        await said({ tables: ["public.next"] }),
        /A table that the view reads is missing\. Name it too/,
      );
      assert.equal(adviceOn("", "disk full"), "");
    });
  } finally {
    await admin.end({ timeout: 1 });
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
