/**
 * Histories under several writers at once: versions are numbered without gaps, and nobody waits for anything but the
 * rows themselves.
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { apply, type SqlProject, startSqlProject } from "../sql/project.ts";
import { migrations } from "../sql/sources.ts";

const WRITERS = 32;
const ROWS = 40;
const STATEMENTS_PER_WRITER = 25;

Deno.test("histories, with several writers", async (t) => {
  const project = await startSqlProject();
  const { sql } = project;
  try {
    await apply(sql, await migrations());
    await sql`create table public.counters (id integer primary key, n integer not null default 0, writer integer)`;
    await sql`select versioning.track('public.counters')`;

    await t.step("two writers of one row: each version follows on the other", async () => {
      await sql`insert into public.counters values (0)`;
      const [a, b] = [project.session(), project.session()];
      await a`begin`;
      await a`update public.counters set n = n + 1, writer = 1 where id = 0`;
      const second = b`update public.counters set n = n + 1, writer = 2 where id = 0`.execute();
      await untilBlocked(project);
      await a`commit`;
      await second;
      const versions = await sql`
        select version, (before ->> 'n')::int as before, (after ->> 'n')::int as after, after ->> 'writer' as writer
        from versioning.versions('public.counters', '0') order by version`;
      assert.deepEqual(versions.map((version) => ({ ...version })), [
        { version: 1, before: null, after: 0, writer: null },
        { version: 2, before: 0, after: 1, writer: "1" },
        { version: 3, before: 1, after: 2, writer: "2" },
      ]);
    });

    await t.step(
      "a row that comes again while its deletion is under way goes on with its numbers",
      async () => {
        const [a, b] = [project.session(), project.session()];
        await a`begin`;
        await a`delete from public.counters where id = 0`;
        const second = b`insert into public.counters values (0, 100)`.execute();
        await untilBlocked(project);
        await a`commit`;
        await second;
        const versions =
          await sql`select version, operation from versioning.versions('public.counters', '0') order by version desc limit 2`;
        assert.deepEqual(versions.map((version) => ({ ...version })), [
          { version: 5, operation: "create" },
          { version: 4, operation: "delete" },
        ]);
      },
    );

    await t.step("a writer who is refused leaves no version and no gap", async () => {
      const [a, b] = [project.session(), project.session()];
      await b`begin isolation level repeatable read`;
      await b`select from public.counters`;
      await a`update public.counters set n = 101 where id = 0`;
      await assert.rejects(b`update public.counters set n = 102 where id = 0`, { code: "40001" });
      await b`rollback`;
      await a`update public.counters set n = 103 where id = 0`;
      assert.deepEqual(await numbers(sql, "0"), [1, 2, 3, 4, 5, 6, 7]);
    });

    await t.step(`${WRITERS} writers of one table: no deadlock, no gap, no change unseen`, async () => {
      await sql`insert into public.counters select generate_series(1, ${ROWS})`;
      const sessions = Array.from({ length: WRITERS }, () => project.session());
      await Promise.all(sessions.map(async (session, writer) => {
        for (let i = 0; i < STATEMENTS_PER_WRITER; i++) {
          // A row of its own choice, then several in the order of their keys, as careful writers lock them.
          const id = 1 + (writer * 7 + i * 13) % ROWS;
          await session`update public.counters set n = n + 1, writer = ${writer} where id = ${id}`;
          if (i % 5 > 0) continue;
          await session`
            with locked as (select id from public.counters where id between ${id} and ${
            id + 3
          } order by id for update)
            update public.counters c set n = n + 1, writer = ${writer} from locked l where c.id = l.id`;
        }
      }));
      const [row] = await sql`
        with numbered as (
          select h.key, h.version, row_number() over (partition by h.key order by h.id) as expected, h.operation,
            (h.before ->> 'n')::int as before, (h.after ->> 'n')::int as after,
            lag((h.after ->> 'n')::int) over (partition by h.key order by h.id) as left_by_earlier, h.at,
            lag(h.at) over (partition by h.key order by h.id) as earlier
          from versioning.history h
          where h.table_name = 'counters' and h.key <> '0'
        )
        select count(*) filter (where operation = 'update')::int as updates,
          (select sum(n)::int from public.counters where id between 1 and ${ROWS}) as increments,
          bool_and(version = expected) as gapless,
          bool_and(before is not distinct from left_by_earlier) as chained,
          bool_and(operation = 'create' or after = before + 1) as counted,
          bool_and(earlier is null or at > earlier) as in_time
        from numbered`;
      assert.ok(row!.updates >= WRITERS * STATEMENTS_PER_WRITER);
      assert.deepEqual({ ...row }, {
        updates: row!.increments,
        increments: row!.increments,
        gapless: true,
        chained: true,
        counted: true,
        in_time: true,
      });
    });

    await t.step("writers who meet a new column at once wait for nobody, and agree on it", async () => {
      await sql`alter table public.counters add column note text`;
      const sessions = Array.from({ length: 4 }, () => project.session());
      await Promise.all(sessions.map((session) => session`begin`));
      // All of them hold their versions at the same time: none of them may wait for another.
      await Promise.all(
        sessions.map((session, i) => session`update public.counters set note = 'seen' where id = ${i + 1}`),
      );
      await Promise.all(sessions.map((session) => session`commit`));
      const [row] = await sql`
        select count(*)::int as versions, bool_and(changed = '{note}') as seen
        from versioning.history where after ->> 'note' = 'seen'`;
      assert.deepEqual({ ...row }, { versions: 4, seen: true });
    });
  } finally {
    await project.stop();
  }
});

async function numbers(sql: postgres.Sql, key: string): Promise<number[]> {
  const versions =
    await sql`select version from versioning.versions('public.counters', ${key}) order by version`;
  return versions.map(({ version }) => version);
}

/** Until some session waits for a lock of another. */
async function untilBlocked(project: SqlProject): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const [row] = await project.superuser`
      select count(*)::int as waiting from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0`;
    if (row!.waiting > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("nobody was blocked within 10 s");
}
