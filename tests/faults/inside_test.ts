/**
 * Invocations that restore beside the living tables are killed (SIGKILL) at named points. Whatever was half
 * done, the next ones come to the same end: no row is lost or there twice, nothing is left, the living tables are as
 * they were.
 */
import assert from "node:assert/strict";
import { ended, nothingIsLeft } from "./inside.ts";
import { RESTORE_POINTS } from "./inside_points.ts";
import { contentNow } from "./outcome.ts";
import { recordRestore } from "./results.ts";
import { type Scene, startScene } from "./scene.ts";

/** `FAULTS="a table" npm run test:all` tries some of them only. */
const WANTED = new RegExp(Deno.env.get("FAULTS") ?? "");

/** Calls, with the tables and the condition of the rows that they restore. */
const CALLS = [
  { what: "a table", call: "backup.restore_table('public.noise')", tables: ["noise"], where: "true" },
  { what: "a schema", call: "backup.restore_schema('public')", tables: ["noise", "people"], where: "true" },
  {
    what: "rows",
    call: "backup.restore_rows('public.noise', array['1', '700', '2500'])",
    tables: ["noise"],
    where: "id in (1, 700, 2500)",
  },
];

const TABLES = `
  create table public.people (id int primary key, name text);
  insert into public.people select g, 'person ' || g from generate_series(1, 500) g;
  create table public.noise (id int primary key, person int references public.people, text text);
  insert into public.noise
  select g, 1 + g % 500, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n)
  from generate_series(1, 2500) g;
  create index on public.noise (person)`;

Deno.test("an invocation that restores inside the project is killed", async (test) => {
  await using scene = await startScene();
  const { sql } = scene;
  await sql.unsafe(TABLES);
  await sql`select backup.configure(slice_bytes => 500000, part_bytes => 170000, second_copy => 'none')`;
  const run = await scene.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");
  await sql`select backup.configure(invocation_bytes => 1500000)`;
  const living = await contentNow(scene);

  for (const { what, call, tables, where } of CALLS) {
    for (const [when, point] of Object.entries(RESTORE_POINTS)) {
      const title = `${what}: ${when}`;
      if (!WANTED.test(title)) continue;
      await test.step(title, async () => {
        const restore = await ended(scene, await scene.killAt(point, () => ask(scene, call)));
        assert.deepEqual(
          [restore.status, restore.exceptions],
          ["succeeded", []],
          restore.error_message ?? "",
        );
        const into = restore.into_schema;
        let rows = 0;
        for (const table of tables) {
          const [found] = await sql.unsafe<{ rows: number; same: boolean; key: boolean }[]>(`
            select count(*)::int as rows, md5(string_agg(c::text, ',' order by id)) = (
                select md5(string_agg(t::text, ',' order by id)) from public.${table} t where ${where}
              ) as same,
              exists (select from pg_index where indrelid = '${into}.${table}'::regclass and indisprimary) as key
            from ${into}.${table} c`);
          assert.deepEqual([found!.same, found!.key], [true, true], `${table}, ${found!.rows} rows`);
          rows += found!.rows;
        }
        assert.equal(restore.rows, rows);
        const [count] = await sql.unsafe<{ made: number }[]>(
          `select count(*)::int as made from pg_class where relnamespace = '${into}'::regnamespace and relkind = 'r'`,
        );
        assert.equal(count!.made, tables.length);
        await sql.unsafe(`drop schema ${into} cascade`);
        await nothingIsLeft(scene);
        assert.deepEqual(await contentNow(scene), living);
        recordRestore(import.meta.url, title, restore, "all rows once, the living tables as they were");
      });
    }
  }
});

async function ask({ sql }: Scene, call: string): Promise<number> {
  const [row] = await sql.unsafe<{ id: number }[]>(`select (${call})::int as id`);
  return row!.id;
}
