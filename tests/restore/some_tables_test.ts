/** A restore of some tables: with what is theirs, and without what would need the others. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { dumpDatabase } from "../../cli/dump.ts";
import { adviceOn } from "../../cli/restore/advice.ts";
import { openArchive } from "../../cli/restore/archive_file.ts";
import { checksTable } from "../../cli/restore/check.ts";
import { compareRestored } from "../../cli/restore/compare.ts";
import { planned, restoreEntries, type RestoreOptions, WHOLE } from "../../cli/restore/run.ts";
import { openTarget } from "../../cli/restore/target.ts";
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
      const plan = await planned(archive, target, options);
      await restoreEntries(archive, target, plan.entries, options);
      const checks = await compareRestored(archive, null, plan, target, { wasEmpty: false });
      assert.deepEqual(checks.filter(({ outcome }) => outcome === "failed"), [], checksTable(checks));
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
        why: "it refers to public.plays, which the target has not",
      }]);
      assert.deepEqual(
        await inTarget("select play, tableoid::regclass::text as part from public.shows order by 1"),
        [
          { play: 1, part: "shows_2026_1" },
          { play: 2, part: "shows_other" },
        ],
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

    await test.step("what the server says to others comes with advice", async () => {
      const said = async (some: Partial<RestoreOptions>) =>
        await restore(some).then(() => "", (error) => error.hint);
      assert.match(
        await said({ tables: ["public.plays"], clean: true }),
        /What hangs on it is not in this restore/,
      );
      assert.match(await said({ tables: ["public.plays"], dataOnly: true }), /Rows are there already/);
      assert.equal(adviceOn("", "disk full"), "");
    });
  } finally {
    await admin.end({ timeout: 1 });
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
