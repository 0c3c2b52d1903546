/** The statements that take rows back from a copy run as they are, whatever columns the table has. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { openTarget } from "../../cli/target/target.ts";
import { mergeStatements } from "../../supabase/functions/backup/restore_plan/merge_sql.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";

const TABLE = `(
  id int generated always as identity, "Lang" text, title text, slug text generated always as (lower(title)) stored,
  data json, tags text[], primary key ("Lang", id)
)`;

Deno.test("rows are taken back from a copy beside the living table", async (test) => {
  const server = await startCluster();
  const sql = postgres(server.url(), { max: 1, onnotice: () => {} });
  const target = await openTarget(server.url());
  try {
    await sql.unsafe(`
      create schema side;
      create table public.plays ${TABLE};
      insert into public.plays ("Lang", title, data, tags) select 'fr', 'Play ' || g, '{"a": 1}', '{x}' from generate_series(1, 4) g;
      create table side.plays ${TABLE};
      insert into side.plays (id, "Lang", title, data, tags) overriding system value
        select id, "Lang", title, data, tags from public.plays;
      alter table public.plays add column later text;
      delete from public.plays where id = 1;
      update public.plays set title = 'Overwritten', data = null where id = 2;
      insert into public.plays ("Lang", title) values ('fr', 'New');
      create table public.keyless (a int);
      create table side.keyless (a int);
    `).simple();
    const statements = await mergeStatements(target.session, "public.plays", "side.plays");
    const [differing, gone, changed] = statements.map(({ sql }) => sql);
    const differences = async () =>
      (await sql.unsafe(`${differing} order by id`)).map(({ id, what }) => `${id} ${what}`);

    await test.step("which differ", async () => {
      assert.deepEqual(await differences(), ["1 gone", "2 changed", "5 new"]);
    });

    await test.step("those that are gone", async () => {
      await sql.unsafe(gone!);
      assert.deepEqual(await differences(), ["2 changed", "5 new"]);
    });

    await test.step("those that have changed, one of them or all", async () => {
      await sql.unsafe(`${changed} and now.id = 3`);
      assert.deepEqual(await differences(), ["2 changed", "5 new"]);
      await sql.unsafe(changed!);
      assert.deepEqual(await differences(), ["5 new"]);
      assert.equal((await sql`select slug from public.plays where id = 2`)[0]!.slug, "play 2");
    });

    await test.step("not without a key, and not where there is no living table", async () => {
      assert.deepEqual(await mergeStatements(target.session, "public.keyless", "side.keyless"), []);
      assert.deepEqual(await mergeStatements(target.session, "public.missing", "side.plays"), []);
    });
  } finally {
    await target.session.close();
    await sql.end();
    await server.stop();
  }
});
