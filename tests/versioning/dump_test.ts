/**
 * A dump and a restore into another cluster, where OIDs, transaction ids and column numbers are others: the history is
 * whole, and goes on.
 */
import assert from "node:assert/strict";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import type postgres from "postgres";
import { apply, type SqlProject, startSqlProject } from "../sql/project.ts";
import { migrations } from "../sql/sources.ts";

const SCENE = `
  create schema theatre;
  create type theatre.mood as enum ('calm', 'wild');
  -- A dropped column leaves a gap in the numbers, which a restore closes.
  create table theatre.plays (
    gone text, id uuid primary key, title text not null, mood theatre.mood, price numeric, changed_at timestamptz, image bytea, tags text[],
    loud text generated always as (upper(title)) stored
  );
  alter table theatre.plays drop column gone;
  create table theatre.seats (night date, number integer, name text, secret text, primary key (night, number)) partition by range (night);
  create table theatre.seats_2026 partition of theatre.seats for values from ('2026-01-01') to ('2027-01-01');
  insert into theatre.seats values ('2026-01-01', 1, 'found', 'password');
  select versioning.track('theatre.plays', published => 'changed_at', keep_versions => 50), versioning.track('theatre.seats', left_out => '{secret}');
  insert into theatre.plays values ('00000000-0000-4000-8000-000000000001', 'Hamlet', 'calm', 1.10, null, '\\x00ff', array['a', null, '"']);
  select versioning.because('so that there is a reason');
  update theatre.plays set mood = 'wild', price = 'NaN', changed_at = '2026-03-04 05:06:07.123456+00';
  alter table theatre.plays rename column title to name;
  alter table theatre.plays add column stars integer default 3;
  update theatre.plays set name = 'HAMLET';
  insert into theatre.plays (id, name) values ('00000000-0000-4000-8000-000000000002', 'Lear');
  delete from theatre.plays where name = 'Lear';
  update theatre.seats set name = 'named';
  select versioning.refresh();`;

Deno.test("histories, dumped and restored", async (t) => {
  const [from, ...targets] = await Promise.all([startSqlProject(), startSqlProject(), startSqlProject()]);
  const folder = await Deno.makeTempDir();
  try {
    await apply(from.sql, await migrations());
    await from.sql.unsafe(SCENE).simple();
    const history = await everything(from.sql);
    assert.deepEqual([history.versions.length, history.tables.length], [7, 2]);

    const ways: Record<string, (path: string) => Promise<void>> = {
      "by pg_dump": (path) => run(from, "pg_dump", "-Fc", "-f", path, "-d", from.superuserUrl),
      "by a backup's archive": async (path) => {
        using file = await Deno.open(path, { write: true, create: true });
        const warnings = (await dumpDatabase(from.superuserUrl, (bytes) => writeAll(file, bytes))).warnings;
        assert.deepEqual(warnings, []);
      },
    };
    for (const [i, [way, dump]] of Object.entries(ways).entries()) {
      const target = targets[i]!;
      await t.step(way, async () => {
        // Transaction ids and OIDs are to differ, and so they do: this cluster has lived another life.
        await target.sql.unsafe(
          "do $$ begin for i in 1..50 loop perform txid_current(); commit; end loop; end $$",
        );
        await dump(`${folder}/${i}`);
        await restore(target, `${folder}/${i}`);
        assert.deepEqual(await everything(target.sql), history, "what there was is there, to the last byte");
        await goesOn(target.sql);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Promise.all([from, ...targets].map((project) => project.stop()));
  }
});

/**
 * New versions follow on the old ones, old ones are put back, and the triggers are as cheap as before: they know their
 * table.
 */
async function goesOn(sql: postgres.Sql): Promise<void> {
  const [plan] = await sql`
    select versioning_private.is_current_at_plan_time(t.id, (versioning._newest_layout(t.id)).id) as known from versioning.tables t
    where t.table_name = 'plays'`;
  assert.equal(plan!.known, true, "the layout is known");
  assert.deepEqual([...await sql`select versioning.refresh()`], [], "nothing is to be made anew");
  await sql`update theatre.plays set stars = 5`;
  const [newest] = await sql`
    select h.version, h.changed, h.id > (select max(id) from versioning.history where key like '%2') as later
    from versioning.versions('theatre.plays', '00000000-0000-4000-8000-000000000001') h limit 1`;
  assert.deepEqual({ ...newest }, { version: 4, changed: ["stars"], later: true });
  const [first] = await sql`
    select versioning.restore(id)->>'outcome' as outcome from versioning.history where version = 1 and table_name = 'plays' and key like '%1'`;
  assert.equal(first!.outcome, "updated");
  const [row] = await sql`
    select name, mood, price::text, changed_at, encode(image, 'hex') as image, tags::text, stars from theatre.plays`;
  assert.deepEqual({ ...row }, {
    name: "Hamlet",
    mood: "calm",
    price: "1.10",
    changed_at: null,
    image: "00ff",
    tags: '{a,NULL,"\\""}',
    stars: 3,
  });
  const [deleted] = await sql`
    select versioning.restore(id)->>'outcome' as outcome from versioning.history where operation = 'delete'`;
  assert.equal(deleted!.outcome, "inserted");
  await sql`update theatre.seats_2026 set name = 'again'`;
  const seats = await sql`
    select version from versioning.versions('theatre.seats', row(date '2026-01-01', 1)::text) where operation = 'update'`;
  assert.deepEqual(seats.map(({ version }) => version), [3, 2], "of partitions too");
  assert.equal(
    (await sql`select versioning.track('theatre.plays')::int as found`)[0]!.found,
    0,
    "tracking goes on",
  );
}

/** The histories as people read them, what they are stored as, and the tables. */
async function everything(sql: postgres.Sql) {
  const versions = await sql`select h::text as version from versioning.history h order by id`;
  const records = await sql`select r::text as record from versioning.records r order by id`;
  const tables = await sql`select t::text as options from versioning.tables t order by id`;
  return {
    versions: versions.map(({ version }) => version),
    records: records.map(({ record }) => record),
    tables: tables.map(({ options }) => options),
  };
}

/** Restores what belongs to the histories and their tables, as the role `postgres`. */
async function restore(target: SqlProject, path: string): Promise<void> {
  const list = `${path}.list`;
  const all = await output(target, "pg_restore", "--list", path);
  const wanted = all.split("\n").filter((line) =>
    /^\d.* (versioning|versioning_private|theatre)\b/.test(line)
  );
  await Deno.writeTextFile(list, wanted.join("\n") + "\n");
  await run(target, "pg_restore", "--exit-on-error", "--use-list", list, "-d", target.url, path);
}

async function run(project: SqlProject, program: string, ...args: string[]): Promise<void> {
  await output(project, program, ...args);
}

async function output({ cluster }: SqlProject, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${cluster.binDir}/${program}`, { args })
    .output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
