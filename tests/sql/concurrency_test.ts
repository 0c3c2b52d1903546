/** What happens when several sessions use the verbs at once: starts, workers, the watch-dog. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import { apply, type SqlProject, startSqlProject } from "./project.ts";
import { migrations } from "./sources.ts";

const FUNCTION_URL = "https://project.example/functions/v1/backup";

/** Each step has the same database, and cancels the run that it leaves. */
Deno.test("the schema backup, used by several sessions", async (t) => {
  const project = await startSqlProject();
  const { sql } = project;
  const step = (name: string, run: () => Promise<void>) =>
    t.step(name, async () => {
      await run();
      await sql`select backup.cancel(id) from backup.log where finished_at is null`;
    });
  try {
    await apply(sql, await migrations());
    // What shows a role the sessions of others; not every `postgres` has it, and its own it sees without.
    await project.superuser`revoke pg_monitor from postgres`;

    await step("two starts that are refused have rows of their own", async () => {
      const [a, b] = [project.session(), project.session()];
      await Promise.all([a, b, a, b].map((session) => session`select backup.start('scheduled')`));
      const [row] = await sql`
        select count(distinct name)::int as names, count(*)::int as rows from backup.log
        where error_code = 'not_configured'`;
      assert.deepEqual({ ...row }, { names: 4, rows: 4 });
    });

    await sql`select backup.configure(function_url => ${FUNCTION_URL})`;

    await step("of two starts at once one makes a run, the other is told of it", async () => {
      const [a, b] = [project.session(), project.session()];
      await a`begin`;
      const id = await start(a);
      const second = start(b).catch((error) => error);
      await untilBlocked(project);
      await a`commit`;
      const error = await second;
      assert.match(error.message, new RegExp(`^Cannot start a backup: run ${id} .* is active$`));
      assert.deepEqual([error.code, error.detail], ["55000", "run_active"]);
    });

    await step("the first of two starts is rolled back: the second makes its run", async () => {
      const [a, b] = [project.session(), project.session()];
      await a`begin`;
      const id = await start(a);
      const second = start(b);
      await untilBlocked(project);
      await a`rollback`;
      assert.ok(await second > id);
    });

    await step("without start() the index refuses a second active run", async () => {
      const [a, b] = [project.session(), project.session()];
      const insert = (session: postgres.Sql, name: string) =>
        session`insert into backup.log (name, trigger, settings) values (${name}, 'manual', '{}')`;
      await a`begin`;
      await insert(a, "backup-20200101-000000");
      const second = insert(b, "backup-20200101-000001").catch((error) => error);
      await untilBlocked(project);
      await a`commit`;
      assert.equal((await second).constraint_name, "one_active_run");
    });

    await step("the watch-dog goes to sleep after a start has looked, not before", async () => {
      const [a, b] = [project.session(), project.session()];
      await sql`select backup._keep_watching(true)`;
      await a`begin`;
      await start(a);
      const watch = b`select backup.watch()`.execute();
      await untilBlocked(project);
      await a`commit`;
      await watch;
      const jobs = await sql`select from cron.job where jobname = 'backup-watch' and active`;
      assert.equal(jobs.length, 1);
    });

    await step("a worker is dead the moment its session ends", async () => {
      const run = await start(sql);
      const exporting = project.session();
      const worker = await enter(project, run, exporting);
      assert.equal(worker.role, "plan");
      assert.equal(await living(sql), 1);
      const { pid } = worker;
      await exporting.end();
      await until(async () => (await sql`select from pg_stat_activity where pid = ${pid}`).length === 0);
      assert.equal(await living(sql), 0);
    });

    await step("a session that the schema's owner cannot see is refused", async () => {
      const run = await start(sql);
      await assert.rejects(enter(project, run, project.superuser), /no session has process/);
    });

    await step("many workers share the slices, each once", async () => {
      await sql`select backup.configure(workers => 4)`;
      const run = await start(sql);
      const planner = await enter(project, run, sql);
      await sql`select backup._store_plan(${run}, ${planner.id}, ${sql.json(plan(60))})`;
      const sessions = Array.from({ length: 4 }, () => project.session());
      const claimed = await Promise.all(sessions.map(async (session) => {
        const { id, role } = await enter(project, run, session);
        // The planner works too: the fourth of them is one too many.
        if (role === "none") return [];
        const numbers: number[] = [];
        for (;;) {
          const [row] = await session`select backup._claim_slice(${run}, ${id}) as slice`;
          if (row!.slice === null) return numbers;
          numbers.push(row!.slice.number);
        }
      }));
      assert.equal(claimed.filter((numbers) => numbers.length > 0).length, 3);
      assert.deepEqual(
        claimed.flat().sort((a, b) => a - b),
        Array.from({ length: 60 }, (_, number) => number),
      );
    });

    await step("an attempt that ends while its finisher verifies makes no deadlock", async () => {
      const [a, b] = [project.session(), project.session()];
      const run = await start(sql);
      const finisher = await enter(project, run, b);
      await sql`select backup._store_plan(${run}, ${finisher.id}, ${sql.json(plan(0))})`;
      await sql`select backup._claim_finish(${run}, ${finisher.id})`;
      await a`begin`;
      await a`select backup._lock_run(${run})`;
      const verified = b`select backup._mark_part_verified(${run}, ${finisher.id}, '00000.dump')`.catch((
        error,
      ) => error);
      await untilBlocked(project);
      await a`select backup._fail(${run}, ${finisher.id}, '{"code": "storage_failed"}', true)`;
      await a`commit`;
      assert.equal((await verified).code, "BK001");
    });

    await step(
      "a worker takes its turn while the watch-dog looks at pg_net's response to its call: no deadlock",
      async () => {
        const [a, b] = [project.session(), project.session()];
        await start(sql);
        await sql`delete from backup.calls where purpose = 'alert'`;
        await sql`select backup._call('alert')`;
        await sql`update backup.calls set used_at = clock_timestamp() where purpose = 'alert'`;
        await project.superuser`
        insert into net._http_response (id, status_code, content, created)
        select request_id, 202, '{}', clock_timestamp() from backup.calls where purpose = 'alert'`;
        await a`begin`;
        await a`select backup._lock_work()`;
        const watch = b`select backup.watch()`.execute();
        await untilBlocked(project);
        const [turn] = await a`select backup._take_turn('alert', ${randomUUID()}) as taken`;
        await a`commit`;
        await watch;
        assert.equal(turn!.taken, true);
        const [call] =
          await sql`select worker is not null as linked, answer ->> 'status' as status from backup.calls where purpose = 'alert'`;
        assert.deepEqual({ ...call }, { linked: true, status: "202" });
      },
    );
  } finally {
    await project.stop();
  }
});

async function start(sql: postgres.Sql): Promise<number> {
  const [row] = await sql`select backup.start()::int as id`;
  return row!.id;
}

/** A worker whose export session is `exporting` enters, by a session of `postgres`. */
async function enter({ sql }: SqlProject, run: number, exporting: postgres.Sql) {
  const id = randomUUID();
  const [session] = await exporting`select pg_backend_pid() as pid`;
  const [row] = await sql`select backup._register(${run}, ${id}, ${session!.pid}) ->> 'role' as role`;
  return { id, pid: session!.pid as number, role: row!.role as string };
}

async function living(sql: postgres.Sql): Promise<number> {
  const [row] = await sql`select count(*)::int as living from backup.live_workers`;
  return row!.living;
}

function plan(slices: number) {
  return {
    snapshot: "00000003-00000001-1",
    server_version: "15.18",
    tables: 1,
    estimated_bytes: slices,
    warnings: [],
    parts: [{ name: "00000.dump", bytes: 1, sha256: "0".repeat(64) }],
    slices: Array.from({ length: slices }, (_, number) => ({
      number,
      first_part: 1 + 4 * number,
      estimated_bytes: 1,
      pieces: [],
    })),
    facts: {},
  };
}

/** Until the one statement that is under way waits for a lock. */
async function untilBlocked({ superuser }: SqlProject): Promise<void> {
  await until(async () =>
    (await superuser`
      select from pg_stat_activity where usename = 'postgres' and wait_event_type = 'Lock'`).length > 0
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
