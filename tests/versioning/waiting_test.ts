/**
 * Who has to wait for a writer: a restore of the same row, and the beginning of tracking. Both then see what that one
 * wrote.
 */
import assert from "node:assert/strict";
import { apply, type SqlProject, startSqlProject } from "../sql/project.ts";
import { migrations } from "../sql/sources.ts";

Deno.test("histories, beside a writer who is not done", async (t) => {
  const project = await startSqlProject();
  const { sql } = project;
  try {
    await apply(sql, await migrations());
    await sql`create table public.plays (id integer primary key, title text)`;
    await sql`select versioning.track('public.plays')`;
    const [writer, other, third] = [project.session(), project.session(), project.session()];

    await t.step("a restore waits for the writer of its row, and is refused then", async () => {
      await sql`insert into public.plays values (1, 'Hamlet')`;
      const [{ id } = { id: 0 }] = await sql`select id::int from versioning.history`;
      await writer`begin`;
      await writer`update public.plays set title = 'meanwhile' where id = 1`;
      const restored = other`select versioning.restore(${id}, seen => ${id})`.then(
        () => null,
        (error) => error,
      );
      await untilBlocked(project, 1);
      await writer`commit`;
      const error = await restored;
      assert.deepEqual(
        [error?.code, /changed since: title/.test(error?.message)],
        ["55000", true],
        String(error),
      );
    });

    await t.step("so does the restore of a row that is being made anew", async () => {
      await sql`delete from public.plays`;
      const [{ id } = { id: 0 }] = await sql`select max(id)::int as id from versioning.history`;
      await writer`begin`;
      await writer`insert into public.plays values (1, 'another')`;
      const restored = other`select versioning.restore(${id})`.then(() => null, (error) => error);
      await untilBlocked(project, 1);
      await writer`commit`;
      assert.equal((await restored)?.code, "23505", "the row is not overwritten");
      assert.equal((await sql`select title from public.plays`)[0]!.title, "another");
    });

    await t.step(
      "tracking waits for a writer, finds what it wrote, and misses nothing of those behind it",
      async () => {
        await sql`create table public.halls (id integer primary key)`;
        await writer`begin`;
        await writer`insert into public.halls values (1)`;
        const tracked = other`select versioning.track('public.halls')::int as found`.execute();
        await untilBlocked(project, 1);
        const behind = third`insert into public.halls values (2)`.execute();
        await untilBlocked(project, 2);
        await writer`commit`;
        assert.equal((await tracked)[0]!.found, 1);
        await behind;
        const rows =
          await sql`select operation, key from versioning.history where table_name = 'halls' order by id`;
        assert.deepEqual(rows.map(({ operation, key }) => `${operation} ${key}`), ["baseline 1", "create 2"]);
      },
    );
  } finally {
    await project.stop();
  }
});

/** Until so many sessions wait for locks of others. */
async function untilBlocked({ superuser }: SqlProject, sessions: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const [row] = await superuser`
      select count(*)::int as waiting from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0`;
    if (row!.waiting >= sessions) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${sessions} sessions were not blocked within 10 s`);
}
