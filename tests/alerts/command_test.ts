/** `alerts test`, as a person types it, and what `backup.health` makes of channels. */
import assert from "node:assert/strict";
import { VERSION } from "../../supabase/functions/backup/version.ts";
import { runCli } from "../e2e/command.ts";
import { HUSH, isAlertCall, NAMES, startTold, type Told } from "./scene.ts";

const run = (project: Told, ...args: string[]) => runCli(project, "alerts test", args);

Deno.test("alert:test", async (test) => {
  await using project = await startTold();
  const { sql, superuser, receiver } = project;
  const alarms = async () => {
    const [row] = await sql`select backup._alarm_codes(reasons) as alarms from backup.health`;
    return row!["alarms"] as string[];
  };

  await test.step("sends a test on every channel, and one ping that changes nothing outside", async () => {
    const { code, out, error } = await run(project);
    assert.equal(code, 0, error);
    for (const name of [...NAMES, "ping"]) assert.match(out, new RegExp(`${name} .*sent .*200 .*\\d+ ms`));
    assert.ok(NAMES.every((name) => project.on(name).length === 1));
    assert.equal(project.on("webhook")[0]!.json.type, "backup.test");
    assert.deepEqual(project.pings().map((ping) => ping.split(":")[0]), ["log"]);
    const rows = await sql`select outcome from backup.alerts where event_id is null`;
    assert.equal(rows.length, NAMES.length);
    assert.ok(!out.includes(HUSH));
  });

  await test.step("fails when a channel does, and says why without its secret; health says so after an hour", async () => {
    receiver.answer = ({ path }) =>
      path.startsWith("/slack/") ? new Response(`no ${path}`, { status: 404 }) : null;
    const { code, out, error } = await run(project);
    assert.equal(code, 1);
    assert.match(out, /slack .*failed .*404 .*HTTP 404: no …/);
    assert.match(error, /Cannot send alerts on slack/);
    assert.ok(!(out + error).includes(HUSH));
    assert.ok(!(await alarms()).includes("alerts_fail"));
    await superuser`update backup.alerts set made_at = made_at - interval '61 minutes'`;
    await superuser`update backup.channels set since = since - interval '1 day'`;
    assert.ok((await alarms()).includes("alerts_fail"));
    receiver.answer = null;
    const [tested] = JSON.parse((await run(project, "--json")).out).channels.filter((
      { channel }: { channel: string },
    ) => channel === "slack");
    assert.deepEqual([tested.outcome, tested.status, tested.error], ["sent", 200, null]);
    assert.ok(!(await alarms()).includes("alerts_fail"), "a success clears it");
  });

  await test.step("fails when nothing is set up, or not rightly", async () => {
    const channels = (state: string, problem: string | null) => () =>
      Response.json({
        version: VERSION,
        channels: [{
          channel: "slack",
          state,
          outcome: null,
          status: null,
          error: problem,
          milliseconds: null,
        }],
      });
    project.fault = channels("off", null);
    const none = await run(project);
    assert.deepEqual([none.code, /No alert channel is configured/.test(none.error)], [1, true]);
    project.fault = channels("wrong", "it is not a valid URL");
    const wrong = await run(project);
    assert.deepEqual([wrong.code, /wrong .*it is not a valid URL/.test(wrong.out)], [1, true], wrong.out);
    project.fault = null;
    assert.equal((await run(project, "--nonsense")).code, 2);
  });

  await test.step("is for holders of the secret key", async () => {
    project.forget();
    const response = await fetch(`${project.stack.apiUrl}/functions/v1/backup`, {
      method: "POST",
      headers: { authorization: `Bearer ${project.stack.keys.anonKey}` },
      body: '{"alert": "test"}',
    });
    assert.equal(response.status, 401);
    await response.body?.cancel();
    assert.equal(receiver.received.length, 0);
  });

  await test.step("health tells a function that does not answer the calls for alerts", async () => {
    project.fault = (request) => isAlertCall(request) ? new Response("{}", { status: 404 }) : null;
    await superuser`update backup.channels set reported_at = reported_at - interval '1 day'`;
    await sql`select backup.check()`;
    await project.quiet();
    assert.ok(!(await alarms()).includes("function_silent"));
    await superuser`update backup.calls set created_at = created_at - interval '61 minutes' where run_id is null`;
    assert.ok((await alarms()).includes("function_silent"));
    project.fault = null;
    await sql`select backup.watch()`;
    await project.quiet();
    assert.ok(!(await alarms()).includes("function_silent"), "an answer clears it");
  });
});
