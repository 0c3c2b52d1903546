/**
 * Trigger functions ask once per plan whether their table is still what it was
 * (supabase/schemas/versioning/plan_time.sql). The server has to ask again after every change of the table, in every
 * session, on every version.
 */
import assert from "node:assert/strict";
import { OTHER_VERSIONS, withServerOf } from "../servers/versions.ts";
import { openScene, type Scene } from "./attack/scene.ts";

const MIGRATION = new URL("../../supabase/migrations/20261102000000_create_versioning.sql", import.meta.url);

/** Changes of the table by another session, each with the columns that the next version has. */
const CHANGES: [change: string, columns: string[]][] = [
  ["add column extra text default 'x'", ["id", "n", "extra"]],
  ["rename column extra to more", ["id", "n", "more"]],
  ["alter column n type bigint", ["id", "n", "more"]],
  ["drop column more", ["id", "n"]],
  ["rename to pieces", ["id", "n"]],
  ["set schema museum", ["id", "n"]],
  ["drop constraint plays_pkey, add primary key (n)", ["n", "id"]],
  ["add column last boolean", ["n", "id", "last"]],
];

for (const version of [undefined, ...OTHER_VERSIONS]) {
  Deno.test(`what is answered when a plan is made follows the table${version ? `, on ${version}` : ""}`, async () => {
    const run = async (binDir?: string) => {
      const scene = await openScene(await Deno.readTextFile(MIGRATION), binDir);
      try {
        await follow(scene);
      } finally {
        await scene.stop();
      }
    };
    await (version ? withServerOf(version, run) : run());
  });
}

async function follow(scene: Scene): Promise<void> {
  const [writer, other] = [scene.as("owner"), scene.superuser];
  await writer.unsafe(`
    create schema shop; create schema museum;
    create table shop.plays (id integer primary key, n integer not null);
    select versioning.track('shop.plays');
    insert into shop.plays values (1, 0)`).simple();
  await other`grant set on parameter track_functions to owner`;
  await writer`set track_functions = 'all'`;
  let table = "shop.plays";
  const update = () => writer.unsafe(`update ${table} set n = n + 1`);
  // A session keeps the plan of an expression after its fifth execution at the latest.
  const settle = async () => {
    for (let times = 0; times < 6; times++) await update();
  };
  await settle();
  for (const [change, columns] of CHANGES) {
    await other.unsafe(`alter table ${table} ${change}`);
    if (change === "rename to pieces") table = "shop.pieces";
    if (change === "set schema museum") table = "museum.pieces";
    await update();
    const [record] = await other`
      select l.names, l.types, (select max(n) from ${other(table)})::text as n,
        versioning._object(versioning._after(r, l), l) ->> 'n' as recorded
      from versioning.records r join versioning.layouts l on l.id = r.layout_id order by r.id desc limit 1`;
    assert.deepEqual([...record!.names], columns, change);
    assert.equal(record!.recorded, record!.n, change);
    await settle();
  }
  await writer`select versioning.refresh()`;
  await settle();
  const asked = await timesAsked(scene);
  assert.ok(asked > 0);
  for (let times = 0; times < 10; times++) await update();
  assert.equal(await timesAsked(scene), asked, "nothing is asked while the table stays as it is");
}

/** Returns how often the writer's session has asked. */
async function timesAsked({ as, superuser }: Scene): Promise<number> {
  await as("owner")`select pg_stat_force_next_flush()`;
  const [row] = await superuser`
    select calls::int from pg_stat_user_functions where funcname = 'is_current_at_plan_time'`;
  return row!.calls;
}
