/** What makes backups end unnoticed elsewhere: each ends here in a clear state of the log, of backup.health and of backup.events. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { type Run, until } from "../e2e/project.ts";
import { isFunction, isStorage, startWatched, type Watched } from "./scene.ts";

/** The reason of the run, the verdict, and the event; then a good run, which clears all of them. */
async function expectFailed(project: Watched, run: Run, code: string, message: RegExp, hint: RegExp) {
  assert.deepEqual([run.status, run.error_code], ["failed", code], run.error_message ?? "");
  assert.match(run.error_message!, message);
  assert.match(run.error_hint!, hint);
  const { verdict, alarms, reasons } = await project.health();
  assert.deepEqual([verdict, alarms], ["failing", ["run_failed"]]);
  assert.match(reasons[0]!.message, message);
  assert.match(reasons[0]!.hint, hint);
  const event = await project.check();
  assert.deepEqual([event.verdict, event.previous, event.alarms], ["failing", "ok", ["run_failed"]]);
  assert.equal((await project.check()).events, event.events, "it is noticed once");
  await recovered(project);
}

async function recovered(project: Watched) {
  project.fault = null;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");
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

  await test.step("the cron job was dropped", async () => {
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
  });

  await test.step("the function was deleted", async () => {
    project.fault = (request) =>
      isFunction(request)
        ? Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 })
        : null;
    const run = await project.overInVain(await project.start(), () => answered(project));
    await expectFailed(
      project,
      run,
      "function_unreachable",
      /answered 404 .*not found/,
      /supabase functions deploy backup/,
    );
  });

  await test.step("the function answers 500", async () => {
    project.fault = (request) => isFunction(request) ? new Response("boot failure", { status: 500 }) : null;
    const run = await project.overInVain(await project.start(), () => answered(project));
    await expectFailed(
      project,
      run,
      "function_unreachable",
      /after 5 calls: it answered 500 boot failure/,
      /logs of the function/,
    );
  });

  await test.step("the function never answers", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    project.fault = (request) => isFunction(request) ? promise : null;
    const id = await project.start();
    // pg_net's own half minute, once; the other four calls wait behind it.
    await answered(project);
    const run = await project.overInVain(id);
    resolve(new Response("too late", { status: 504 }));
    await expectFailed(project, run, "function_unreachable", /after 5 calls/, /function_url|pg_net/);
  });

  await test.step("pg_net stands still", async () => {
    const release = await holdNet(project);
    const run = await project.overInVain(await project.start());
    await release();
    await expectFailed(
      project,
      run,
      "function_unreachable",
      /pg_net has no response/,
      /net\.worker_restart/,
    );
  });

  await test.step("pg_net's unlogged tables are emptied, as after a crash: the lost call is made again", async () => {
    const release = await holdNet(project);
    const id = await project.start();
    const lost = await superuser`delete from net.http_request_queue returning id`;
    assert.equal(lost.length, 1);
    await superuser`alter sequence net.http_request_queue_id_seq restart`;
    await release();
    await project.pass(46);
    const run = await project.ended(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 1], JSON.stringify(run));
    assert.deepEqual((await project.health()).alarms, []);
  });

  await test.step("the database crashes in mid-run: the run starts over", async () => {
    const held = Promise.withResolvers<void>();
    const crashed = Promise.withResolvers<void>();
    project.fault = async (request) => {
      if (!isStorage(request) || !request.url.includes("00001.dump")) return null;
      held.resolve();
      await crashed.promise;
      return null;
    };
    const id = await project.start();
    await held.promise;
    project.fault = null;
    await crash(project);
    crashed.resolve();
    const run = await project.ended(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run));
    assert.deepEqual((await project.health()).alarms, []);
  });

  await test.step("Storage is down for longer than the retries", async () => {
    const stored = Object.keys(await project.stored());
    project.fault = (request) => isStorage(request) ? new Response("down", { status: 503 }) : null;
    // Three workers try for twelve seconds each; three attempts of that would be long.
    await sql`select backup.configure(workers => 1, max_attempts => 1)`;
    const run = await project.ended(await project.start());
    await sql`select backup.configure(workers => 2, max_attempts => 3)`;
    await expectFailed(project, run, "storage_failed", /6 times in a row/, /Storage/);
    for (const name of stored.slice(-3)) {
      assert.ok((await project.stored())[name], `${name} is still there`);
    }
  });

  await test.step("rows vanish, and an older backup loses a part", async () => {
    await sql`truncate public.pages`;
    const run = await project.backUp();
    assert.equal(run.status, "succeeded");
    const { alarms, reasons } = await project.health();
    assert.ok(alarms.includes("tables_shrank"), JSON.stringify(alarms));
    assert.match(
      reasons.find(({ code }) => code === "tables_shrank")!.message,
      /public\.pages \(0 of 2000 rows\)/,
    );
    const [older] = await sql`
      select name from backup.log where status = 'succeeded' and removed_at is null order by started_at limit 1`;
    await project.client.storage.from("backups").remove([`${older!["name"]}/00000.dump`]);
    assert.ok((await project.health()).alarms.includes("backup_lost"));
  });
});

/** Waits until pg_net has an answer, or the want of one, to the newest call. */
async function answered({ superuser }: Watched): Promise<void> {
  await until("pg_net has an answer", async () => {
    const [row] = await superuser`
      select from net._http_response where id = (select request_id from backup.calls order by created_at desc limit 1)`;
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
