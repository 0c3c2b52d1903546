/**
 * What makes backups end unnoticed elsewhere: each ends here in a clear state of the log, of backup.health and of
 * backup.events.
 */
import assert from "node:assert/strict";
import postgres, { type Sql, type TransactionSql } from "postgres";
import { type Run, sessionsEnded, until } from "../e2e/project.ts";
import { record } from "../faults/results.ts";
import { outliveLostSessions, within } from "../faults/scene.ts";
import { isFunction, isStorage, type Reason, startWatched, type Watched } from "./scene.ts";

const HERE = import.meta.url;

/** The reason of the run, the verdict, and the event; then a good run, which clears all of them. */
async function expectFailed(
  step: string,
  project: Watched,
  run: Run,
  code: string,
  message: RegExp,
  hint: RegExp,
) {
  assert.deepEqual([run.status, run.error_code], ["failed", code], told(run));
  assert.match(run.error_message!, message);
  assert.match(run.error_hint!, hint);
  const { verdict, alarms, reasons } = await project.health();
  assert.deepEqual([verdict, alarms], ["failing", ["run_failed"]], JSON.stringify(reasons));
  assert.match(reasons[0]!.message, message);
  assert.match(reasons[0]!.hint, hint);
  const event = await project.check();
  assert.deepEqual([event.verdict, event.previous, event.alarms], ["failing", "ok", ["run_failed"]]);
  assert.equal((await project.check()).events, event.events, "it is noticed once");
  await recovered(project);
  record(HERE, step, run, { alarms, then: "the next run succeeded and cleared it" });
}

/** What a run has to say, for the message of an assertion about it. */
const told = (run: Run) => `${run.error_message} ${JSON.stringify(run)}`;

/** The run succeeded, and nothing alarms. */
async function expectGood(step: string, project: Watched, run: Run, then: string): Promise<void> {
  assert.equal(run.status, "succeeded", told(run));
  const { alarms, reasons } = await project.health();
  assert.deepEqual(alarms, [], JSON.stringify(reasons));
  record(HERE, step, run, { then });
}

async function recovered(project: Watched) {
  project.fault = null;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", told(run));
  const health = await project.health();
  assert.deepEqual([health.verdict, health.alarms], ["ok", []], JSON.stringify(health.reasons));
  const event = await project.check();
  assert.equal(event.verdict, "ok");
  assert.notEqual(event.previous, "ok", "a recovery is noticed");
}

/** The worker of pg_net stands still for as long as this is held: it cannot look for what has expired. */
async function holdNet({ stack, superuser }: Watched): Promise<() => Promise<void>> {
  const application_name = "holds pg_net";
  const holder = postgres(stack.superuserUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name },
  });
  const held = holder.unsafe(
    "begin; lock table net._http_response in share row exclusive mode; select pg_sleep(3600)",
  ).simple();
  const ended = held.then(() => {}, () => {});
  await until("pg_net is held", async () => {
    const [row] = await superuser`
      select from pg_stat_activity where application_name = ${application_name} and wait_event = 'PgSleep'`;
    return row ?? null;
  });
  return async () => {
    await superuser`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${application_name}`;
    await ended;
    await holder.end({ timeout: 1 });
  };
}

Deno.test("backups do not end unnoticed", async (test) => {
  using _sessions = outliveLostSessions();
  await using project = await startWatched();
  const { sql, superuser } = project;
  await sql`create table public.pages as select g as id, repeat('x', 500) as text from generate_series(1, 2000) g`;

  await test.step("a new project says that it has no backup, and then that it is well", async () => {
    assert.deepEqual((await project.health()).alarms, ["no_backup"]);
    assert.equal((await project.check()).verdict, "failing");
    await recovered(project);
    const [rows] = await sql`
      select t.rows::int from backup.table_rows t where t.schema = 'public' and t.name = 'pages'`;
    assert.equal(rows!["rows"], 2000, "each table's rows are known");
  });

  await test.step("the cron job was dropped", async ({ name }) => {
    await sql`select cron.unschedule('backup-weekly')`;
    assert.deepEqual((await project.health()).alarms, ["job_missing"]);
    const event = await project.check();
    assert.deepEqual([event.verdict, event.previous, event.alarms], ["failing", "ok", ["job_missing"]]);
    assert.equal(
      (await sql`select from cron.job where jobname = 'backup-weekly'`).length,
      0,
      "a person decides",
    );
    await sql`select backup.schedule('0 3 * * 0')`;
    assert.equal((await project.check()).verdict, "ok");
    record(HERE, name, null, { alarms: event.alarms, then: "it stays dropped until a person schedules it" });
  });

  await test.step("the function answers 401, as it does when it was deployed with verify_jwt", async ({ name }) => {
    project.fault = (request) =>
      isFunction(request)
        ? Response.json({ code: 401, message: "Missing authorization header" }, { status: 401 })
        : null;
    const run = await project.overInVain(await project.start(), () => answered(project));
    await expectFailed(
      name,
      project,
      run,
      "function_unreachable",
      /answered 401 .*Missing/,
      /verify_jwt = false/,
    );
  });

  await test.step("the function was deleted", async ({ name }) => {
    project.fault = (request) =>
      isFunction(request)
        ? Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 })
        : null;
    const run = await project.overInVain(await project.start(), () => answered(project));
    await expectFailed(
      name,
      project,
      run,
      "function_unreachable",
      /answered 404 .*not found/,
      /supabase functions deploy backup/,
    );
  });

  await test.step("the function answers 500", async ({ name }) => {
    project.fault = (request) => isFunction(request) ? new Response("boot failure", { status: 500 }) : null;
    const run = await project.overInVain(await project.start(), () => answered(project));
    await expectFailed(
      name,
      project,
      run,
      "function_unreachable",
      /after 5 calls: it answered 500 boot failure/,
      /logs of the function/,
    );
  });

  await test.step("the function never answers", async ({ name }) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    project.fault = (request) => isFunction(request) ? promise : null;
    const id = await project.start();
    // pg_net's own half minute, once; the other four calls wait behind it.
    await answered(project);
    const run = await project.overInVain(id);
    resolve(new Response("too late", { status: 504 }));
    await expectFailed(name, project, run, "function_unreachable", /after 5 calls/, /function_url|pg_net/);
  });

  await test.step("pg_net stands still", async ({ name }) => {
    const release = await holdNet(project);
    const run = await project.overInVain(await project.start());
    await release();
    await expectFailed(
      name,
      project,
      run,
      "function_unreachable",
      /pg_net has no response/,
      /net\.worker_restart/,
    );
  });

  await test.step("pg_net's unlogged tables are emptied, as after a crash: the lost call is made again", async ({ name }) => {
    const release = await holdNet(project);
    const id = await project.start();
    const lost = await superuser`delete from net.http_request_queue returning id`;
    assert.equal(lost.length, 1);
    await superuser`alter sequence net.http_request_queue_id_seq restart`;
    await release();
    await project.pass(46);
    const run = await project.ended(id);
    await expectGood(name, project, run, "the call was made again");
    assert.equal(run.attempt, 1, told(run));
  });

  await test.step("pg_net's queue is stuck, with more in it than a batch", async ({ name }) => {
    const release = await holdNet(project);
    // Others use pg_net too: their requests come before the next call of a run.
    await superuser`
      insert into net.http_request_queue (method, url, timeout_milliseconds)
      select 'get', 'http://127.0.0.1:1/', 1000 from generate_series(1, 201)`;
    const { verdict, alarms, reasons } = await project.health();
    assert.deepEqual([verdict, alarms], ["warning", ["net_stuck"]], JSON.stringify(reasons));
    assert.match(reasons[0]!.message, /201 requests/);
    assert.match(reasons[0]!.hint, /net\.worker_restart/);
    const event = await project.check();
    assert.deepEqual([event.previous, event.alarms], ["ok", ["net_stuck"]]);
    await superuser`delete from net.http_request_queue`;
    await release();
    await recovered(project);
    record(HERE, name, null, { alarms, then: "the next run succeeded and cleared it" });
  });

  await test.step("the database crashes in mid-run: the run starts over", async ({ name }) => {
    const { id, release } = await heldAtPart(project);
    await crash(project);
    release();
    const run = await project.ended(id);
    await expectGood(name, project, run, "with another snapshot");
    assert.ok(run.attempt >= 2, told(run));
  });

  await test.step("the database takes no writes in mid-run, as when its disk is nearly full, and later takes them again", async ({ name }) => {
    const { id, release } = await heldAtPart(project);
    await readOnly(project, true);
    release();
    await sessionsEnded(superuser);
    await assert.rejects(async () => await sql`select backup.watch()`, { code: "25006" });
    const { verdict, alarms, reasons } = await project.health();
    assert.deepEqual([verdict, alarms], ["failing", ["database_read_only"]], JSON.stringify(reasons));
    await readOnly(project, false);
    await expectGood(
      name,
      project,
      await project.ended(id),
      "health was failing with `database_read_only` meanwhile",
    );
  });

  await test.step("the database takes no writes when a backup is to start", async ({ name }) => {
    await readOnly(project, true);
    await assert.rejects(async () => await sql`select backup.start()`, { code: "25006" });
    const { verdict, alarms, reasons } = await project.health();
    assert.deepEqual([verdict, alarms], ["failing", ["database_read_only"]], JSON.stringify(reasons));
    assert.match(reasons[0]!.hint, /disk/);
    await readOnly(project, false);
    assert.deepEqual((await project.health()).alarms, []);
    record(HERE, name, null, { alarms, then: "no run begins; health can be asked all the same" });
  });

  for (const [jump, seconds] of [["forward", 7200], ["back", -7200]] as const) {
    await test.step(`the clock jumps two hours ${jump} in mid-run: the run goes on`, async ({ name }) => {
      const { id, release } = await heldAtPart(project);
      await project.pass(seconds);
      release();
      const run = await project.ended(id);
      await expectGood(name, project, run, "no attempt was lost to it");
      assert.equal(run.attempt, 1, told(run));
    });

    await test.step(`the clock jumps two hours ${jump} while the function cannot be reached: the run fails no later`, async ({ name }) => {
      project.fault = (request) => isFunction(request) ? new Response("no", { status: 404 }) : null;
      const id = await project.start();
      await answered(project);
      await project.pass(seconds);
      const run = await project.overInVain(id, () => answered(project));
      await expectFailed(name, project, run, "function_unreachable", /answered 404/, /deploy/);
    });
  }

  await test.step("the clock was a year ahead when a backup was made: a late one is noticed all the same", async ({ name }) => {
    const ahead = await project.backUp();
    // Looked at in a transaction that is undone: the end of a run has everything looked at as well, a moment later.
    const { alarms, late } = await undone(superuser, async (sql) => {
      const shift = (which: string, span: string) =>
        sql.unsafe(`update backup.log set started_at = started_at + interval '${span}' where ${which}`);
      const look = async () => {
        const [row] = await sql<{ alarms: string[]; reasons: Reason[] }[]>`
          select backup._alarm_codes(reasons) as alarms, reasons from backup.health`;
        return row!;
      };
      await shift(`id = ${ahead.id}`, "1 year");
      assert.deepEqual((await look()).alarms, []);
      await shift(`id <> ${ahead.id}`, "-10 days");
      const { alarms, reasons } = await look();
      // Where no clock was right, the age of the newest is unknown.
      await shift(`id <> ${ahead.id}`, "1 year");
      assert.deepEqual((await look()).alarms, ["clock_wrong"]);
      return { alarms, late: reasons[0]!.message };
    });
    assert.deepEqual(alarms, ["late"]);
    assert.ok(!late.includes(ahead.name), late);
    record(HERE, name, null, { alarms, then: "age is that of the newest whose clock was right" });
  });

  await test.step("Storage is down for longer than the retries", async ({ name }) => {
    project.fault = (request) => isStorage(request) ? new Response("down", { status: 503 }) : null;
    const id = await project.start();
    // Three workers try for twelve seconds each; three attempts of that would be long.
    await superuser`update backup.log set settings = settings || '{"workers": 1, "max_attempts": 1}' where id = ${id}`;
    const run = await project.ended(id);
    await expectFailed(name, project, run, "storage_failed", /6 times in a row/, /Storage/);
    // What the rotation of the run before removed meanwhile, the log has as removed.
    const backups = await sql`select name from backup.log where status = 'succeeded' and removed_at is null`;
    assert.ok(backups.length >= 3, `${backups.length} backups`);
    const stored = await project.stored();
    for (const { name } of backups) assert.ok(stored[name], `${name} is still there`);
  });

  await test.step("rows vanish, and an older backup loses a part", async ({ name }) => {
    project.fault = null;
    await sql`truncate public.pages`;
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", told(run));
    const { alarms, reasons } = await project.health();
    assert.ok(alarms.includes("tables_shrank"), JSON.stringify(alarms));
    assert.match(
      reasons.find(({ code }) => code === "tables_shrank")!.message,
      /public\.pages \(0 of 2000 rows\)/,
    );
    const [older] = await sql`
      select name from backup.log where status = 'succeeded' and removed_at is null order by id limit 1`;
    await project.client.storage.from("backups").remove([`${older!["name"]}/00000.dump`]);
    const after = await project.health();
    assert.ok(after.alarms.includes("backup_lost"), JSON.stringify(after.reasons));
    record(HERE, name, run, { alarms: after.alarms, then: "told until three backups have it" });
  });
});

/** What `look` finds in a transaction that leaves nothing behind. */
async function undone<T>(sql: Sql, look: (sql: TransactionSql) => Promise<T>): Promise<T> {
  let found: { answer: T } | undefined;
  await sql.begin(async (transaction) => {
    found = { answer: await look(transaction) };
    throw new Error("undone");
  }).catch((error) => {
    if (found === undefined) throw error;
  });
  return found!.answer;
}

/** A run of which a worker is about to store a part; it waits there until `release`. */
async function heldAtPart(project: Watched): Promise<{ id: number; release(): void }> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  project.fault = async (request) => {
    if (!isStorage(request) || !request.url.includes("00001.dump")) return null;
    held.resolve();
    await released.promise;
    return null;
  };
  const id = await project.start();
  await within("a part is on its way", held.promise);
  project.fault = null;
  return { id, release: released.resolve };
}

/** As the platform does when the disk is nearly full, and undoes later; sessions that are open hear of it too. */
async function readOnly({ superuser, sql }: Watched, on: boolean): Promise<void> {
  const session = await superuser.reserve();
  try {
    await session.unsafe(
      `alter system ${on ? "set default_transaction_read_only = on" : "reset default_transaction_read_only"}`,
    );
    await session`select pg_reload_conf()`;
  } finally {
    session.release();
  }
  for (const one of [superuser, sql]) {
    await until("the sessions have heard of it", async () => {
      const [row] = await one`select current_setting('default_transaction_read_only') as now`;
      return row!["now"] === (on ? "on" : "off") ? true : null;
    });
  }
}

/** Waits until pg_net has an answer, or the want of one, to the newest call. */
async function answered({ superuser }: Watched): Promise<void> {
  await until("pg_net has an answer", async () => {
    const [row] = await superuser`
      select from net._http_response where id = (select request_id from backup.calls where purpose = 'run' order by created_at desc limit 1)`;
    return row ?? null;
  });
}

/** As when one of the server's processes is killed: every session ends, and unlogged tables are empty after it. */
async function crash({ superuser, sql }: Watched): Promise<void> {
  // The stack's server does not wait for the disk; a hosted one has what was committed.
  await superuser`checkpoint`;
  const [victim] = await superuser`select pg_backend_pid() as pid`;
  Deno.kill(victim!["pid"], "SIGKILL");
  for (const session of [superuser, sql]) {
    await until(
      "the database takes connections again",
      async () => await session`select 1`.then(() => true, () => null),
    );
  }
}
