/** The whole way: a run ends, the database notices, pg_net calls the function, and each channel's receiver gets it. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { until } from "../e2e/project.ts";
import { HUSH, isAlertCall, type Name, NAMES, startTold, type Told, WEBHOOK_KEY } from "./scene.ts";

/** What each channel's newest message says, in one line. */
function words(project: Told, name: Name): string {
  const { json } = project.on(name).at(-1)!;
  const [embed] = json.embeds ?? [];
  const cards = json.attachments?.[0].content.body.map(({ text }: { text: string }) => text);
  return json.data?.title ?? json.subject ?? embed?.title ?? cards?.[0] ?? json.text;
}

function counts(project: Told): Record<string, number> {
  return Object.fromEntries(NAMES.map((name) => [name, project.on(name).length]));
}

const EACH_ONCE = Object.fromEntries(NAMES.map((name) => [name, 1]));
const NOTHING = Object.fromEntries(NAMES.map((name) => [name, 0]));

async function makeAlertsOlder({ superuser }: Told, age: string): Promise<void> {
  await superuser`update backup.alerts set made_at = made_at - ${age}::interval`;
}

Deno.test("alerts", async (test) => {
  await using project = await startTold();
  const { sql, superuser, receiver } = project;
  await sql`create table public.pages as select generate_series(1, 200) as id`;

  await test.step("a first run that succeeds is signalled outside, and is no news", async () => {
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    await until("the end was signalled", () => Promise.resolve(project.pings().length >= 2 || null));
    await project.quiet();
    assert.deepEqual(project.pings(), [
      `start: ${run.name} (manual) begins`,
      `success: ${run.name} succeeded, verified`,
    ]);
    assert.deepEqual(counts(project), NOTHING);
    const channels = await sql`select name, state from backup.channels order by name`;
    assert.deepEqual(channels.map(({ name }) => name), [
      "discord",
      "email",
      "ping",
      "slack",
      "teams",
      "webhook",
    ]);
    assert.ok(channels.every(({ state }) => state === "on"), "the run's planner reported them");
    const [health] = await sql`select reasons::text as reasons from backup.health`;
    assert.ok(!health!["reasons"].includes("no_alerts"));
  });

  await test.step("a run that fails is told on every channel, once, and logged", async () => {
    project.forget();
    const id = await project.failRun();
    await project.toldOnAll(1);
    assert.deepEqual(counts(project), EACH_ONCE);
    for (const name of NAMES) {
      // The function's own gateway, by its host and port.
      assert.match(words(project, name), /127\.0\.0\.1:\d+: backups are failing/, name);
    }
    const run = await project.run(id);
    assert.ok(project.on("webhook")[0]!.body.includes(JSON.stringify(run.error_message).slice(1, -1)));
    await until("the failure was signalled", () => Promise.resolve(project.pings().length >= 2 || null));
    assert.deepEqual(project.pings(), [
      `start: ${run.name} (manual) begins`,
      `fail: ${run.name}: ${run.error_message}`,
    ]);
    const rows = await sql`
      select a.channel, a.attempt, a.outcome, a.status, e.verdict from backup.alerts a join backup.events e on e.id = a.event_id order by 1`;
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [...NAMES].sort().map((channel) => ({
        channel,
        attempt: 1,
        outcome: "sent",
        status: 200,
        verdict: "failing",
      })),
    );
  });

  await test.step("the webhook is signed, and the mail goes with its key", () => {
    const [got] = project.on("webhook");
    const header = (name: string) => got!.headers.get(`webhook-${name}`);
    const expected = createHmac("sha256", WEBHOOK_KEY)
      .update(`${header("id")}.${header("timestamp")}.${got!.body}`).digest("base64");
    assert.equal(header("signature"), `v1,${expected}`);
    const [mail] = project.on("email");
    assert.equal(mail!.headers.get("authorization"), `Bearer re_${HUSH}`);
    assert.equal(mail!.headers.get("idempotency-key"), header("id"));
    assert.deepEqual([mail!.json.from, mail!.json.to], ["backups@example.org", ["owner@example.org"]]);
  });

  await test.step("the same state is not told again, by the daily check or by another run that fails", async () => {
    project.forget();
    await sql`select backup.check()`;
    await project.failRun();
    await sql`select backup.check()`;
    await project.quiet();
    assert.deepEqual(counts(project), NOTHING);
  });

  await test.step("what stays failing is told again after some days, as a reminder", async () => {
    await superuser`update backup.events set noticed_at = noticed_at - interval '8 days'`;
    await makeAlertsOlder(project, "6 days 23 hours");
    await sql`select backup.check()`;
    await project.quiet();
    assert.deepEqual(counts(project), NOTHING);
    await makeAlertsOlder(project, "2 hours");
    await sql`select backup.check()`;
    await project.toldOnAll(1);
    assert.deepEqual(counts(project), EACH_ONCE);
    assert.match(words(project, "email"), /are still failing, since \d{4}-\d\d-\d\d/);
    assert.equal(project.on("webhook")[0]!.json.data.reminder, true);
  });

  await test.step("a recovery is told; a receiver that is out of order gets it later, the others not twice", async () => {
    project.forget();
    receiver.answer = ({ path }) => path.startsWith("/slack/") ? new Response("down", { status: 500 }) : null;
    assert.equal((await project.backUp()).status, "succeeded");
    await until(
      "Slack was tried three times",
      () => Promise.resolve(project.on("slack").length >= 3 || null),
    );
    await project.quiet();
    assert.deepEqual(counts(project), { ...EACH_ONCE, slack: 3 });
    assert.match(words(project, "teams"), /backups recovered/);
    const jobs = () => sql`select from cron.job where jobname = 'backup-watch' and active`;
    assert.equal((await jobs()).length, 1, "a job asks again");
    receiver.answer = null;
    const calls = () => sql`select hash from backup.calls where purpose = 'alert'`;
    const before = (await calls()).length;
    await sql`select backup.watch()`;
    assert.equal((await calls()).length, before, "not at once");
    await makeAlertsOlder(project, "9 minutes");
    await sql`select backup.watch()`;
    await until("Slack was told", () => Promise.resolve(project.on("slack").length >= 4 || null));
    await project.quiet();
    assert.deepEqual(counts(project), { ...EACH_ONCE, slack: 4 });
    const ids = new Set(project.on("slack").map(({ body }) => body));
    assert.equal(ids.size, 1);
    const attempts = await sql`
      select attempt, outcome, error from backup.alerts where channel = 'slack' and event_id = (select max(id) from backup.events) order by id`;
    assert.deepEqual(attempts.map((row) => [row["attempt"], row["outcome"], row["error"]]), [
      ...[1, 2, 3].map((attempt) => [attempt, "failed", "HTTP 500: down"]),
      [4, "sent", null],
    ]);
    await sql`select backup.watch()`;
    assert.equal((await jobs()).length, 0, "the job goes when all is told");
  });

  await test.step("a function that is down at that moment tells it later, in order", async () => {
    project.forget();
    await project.failRun();
    await project.toldOnAll(1);
    project.forget();
    project.fault = (request) => isAlertCall(request) ? new Response("{}", { status: 503 }) : null;
    assert.equal((await project.backUp()).status, "succeeded");
    await sql`select backup.configure(max_attempts => 1)`;
    await sql`select backup.check()`;
    await project.quiet();
    assert.deepEqual(counts(project), NOTHING);
    project.fault = null;
    await superuser`update backup.calls set created_at = created_at - interval '11 minutes' where purpose = 'alert'`;
    await sql`select backup.watch()`;
    await project.toldOnAll(2);
    assert.deepEqual(project.on("webhook").map(({ json }) => json.type), ["backup.ok", "backup.warning"]);
    await sql`select backup.configure(max_attempts => 3)`;
    await sql`select backup.check()`;
    await project.toldOnAll(3);
  });

  await test.step("two invocations at once tell it once", async () => {
    project.forget();
    const open = Promise.withResolvers<null>();
    receiver.answer = () => open.promise;
    await sql`select backup.configure(max_attempts => 1)`;
    await sql`select backup.check()`;
    await until(
      "the first invocation has begun",
      () => Promise.resolve(receiver.received.length >= NAMES.length || null),
    );
    await sql`select backup._call('alert')`;
    await until("the second call was answered", async () => {
      const [row] = await superuser`
        select from net._http_response r join backup.calls c on c.request_id = r.id
        where c.run_id is null and c.created_at = (select max(created_at) from backup.calls) and r.status_code = 202`;
      return row ?? null;
    });
    open.resolve(null);
    await project.quiet();
    assert.deepEqual(counts(project), EACH_ONCE);
    receiver.answer = null;
    await sql`select backup.configure(max_attempts => 3)`;
    await sql`select backup.check()`;
    await project.toldOnAll(2);
  });

  await test.step("receivers that do not answer, and then refuse, fail no backup, nor hold its snapshot", async () => {
    project.forget();
    const waited = Promise.withResolvers<void>();
    receiver.answer = () => waited.promise.then(() => new Response("down", { status: 500 }));
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    await until("the worker's sessions are closed", async () => {
      const [row] =
        await superuser`select from pg_stat_activity where application_name like 'supabase-backup %'`;
      return row === undefined ? true : null;
    });
    assert.deepEqual(project.pings(), [
      `start: ${run.name} (manual) begins`,
      `success: ${run.name} succeeded, verified`,
    ], "both still wait for an answer");
    waited.resolve();
    await until(
      "that they failed is logged",
      () => Promise.resolve(project.logged.some((line) => line.includes("ping success failed")) || null),
    );
    receiver.answer = null;
  });

  await test.step("rows that vanish are told, and so is that no good backup was made for too long", async () => {
    project.forget();
    await sql`truncate public.pages`;
    assert.equal((await project.backUp()).status, "succeeded");
    await project.toldOnAll(1);
    const [shrunk] = project.on("webhook");
    assert.equal(shrunk!.json.type, "backup.warning");
    assert.match(shrunk!.body, /public\.pages \(0 of 200 rows\)/);
    await superuser`update backup.log set started_at = started_at - interval '9 days'`;
    await sql`select backup.check()`;
    await project.toldOnAll(2);
    const late = project.on("webhook")[1]!;
    assert.equal(late.json.type, "backup.failing");
    assert.match(late.body, /is 9 days old, but the schedule makes one every 7 days/);
  });

  await test.step("a token for alerts is good once, for alerts only, and cannot be guessed", async () => {
    const url = `${project.stack.apiUrl}/functions/v1/backup`;
    const call = async (token: string) => {
      const response = await fetch(url, { method: "POST", headers: { "x-backup-token": token }, body: "{}" });
      await response.body?.cancel();
      return response.status;
    };
    const store = (token: string) =>
      superuser`
      insert into backup.calls (hash, purpose, request_id, expires_at)
      values (sha256(convert_to(${token}, 'UTF8')), 'alert', 0, now() + interval '1 minute')`;
    const token = `alert-${crypto.randomUUID()}${crypto.randomUUID()}`;
    await store(token);
    assert.deepEqual([await call(token), await call(token)], [202, 409]);
    assert.equal(await call(`alert-${crypto.randomUUID()}${crypto.randomUUID()}`), 401);
    const other = `run-${crypto.randomUUID()}${crypto.randomUUID()}`;
    await store(other);
    assert.equal(await call(other), 401, "it begins no work on a run");
    await superuser`delete from backup.calls where request_id = 0`;
  });

  await test.step("no secret is in the database or in the function's log", async () => {
    const tables = await superuser<{ name: string }[]>`
      select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('backup', 'net', 'cron')`;
    assert.ok(tables.length > 10);
    for (const { name } of tables) {
      const found = await superuser.unsafe(`select t::text from ${name} t where t::text like $1`, [
        `%${HUSH}%`,
      ]);
      assert.equal(found.length, 0, name);
    }
    const logged = project.logged.join("\n");
    assert.match(logged, /ping start failed.*HTTP 500: down/);
    assert.ok(!logged.includes(HUSH) && !logged.includes("whsec_"));
  });
});
