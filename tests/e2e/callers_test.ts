/** Who may call the function, and what it answers to everybody else. */
import assert from "node:assert/strict";
import { startProject, until } from "./project.ts";

interface Answer {
  status: number;
  body: { code?: string; message?: string; hint?: string; run_id?: number; runs?: unknown[] };
}

Deno.test("the function's callers", async (test) => {
  await using project = await startProject();
  const { stack, sql, superuser } = project;
  const { keys } = stack;
  const url = `${stack.apiUrl}/functions/v1/backup`;

  // An isolate that is still at work says so before it looks at the call.
  const call = (headers: Record<string, string>, body = "{}") =>
    until("an isolate looks at the call", async () => {
      const answer = await callOnce(headers, body);
      return answer.status === 429 ? null : answer;
    });
  const callOnce = async (headers: Record<string, string>, body: string): Promise<Answer> => {
    const response = await fetch(url, { method: "POST", headers, body });
    const text = await response.text();
    assert.match(response.headers.get("content-type") ?? "", /application\/json/);
    assert.ok(!text.includes(stack.databaseUrl) && !text.includes("postgresql://"), "no connection string");
    return { status: response.status, body: JSON.parse(text) };
  };
  const key = { authorization: `Bearer ${keys.secretKey}` };

  await test.step("without the project's secret are refused with 401, and no run begins", async () => {
    const strangers: Record<string, string>[] = [
      {},
      { authorization: "Bearer nonsense" },
      { authorization: `Bearer ${keys.anonKey}` },
      { apikey: keys.publishableKey },
      { authorization: `Bearer ${keys.secretKey}x` },
      { "x-backup-token": crypto.randomUUID() + crypto.randomUUID() },
      { "x-backup-token": "" },
    ];
    for (const headers of strangers) {
      const { status, body } = await call(headers, '{"run_id": 1}');
      assert.equal(status, 401, JSON.stringify(headers));
      assert.equal(body.code, "unauthorized");
    }
    assert.equal((await sql`select from backup.log`).length, 0);
  });

  await test.step("with a wrong method or body are told what is right", async () => {
    const got = await fetch(url, { headers: key });
    assert.equal(got.status, 405);
    assert.equal(got.headers.get("allow"), "POST");
    await got.body?.cancel();
    for (const body of ["{", "[]", "1", '"text"']) {
      const answer = await call(key, body);
      assert.deepEqual([answer.status, answer.body.code], [400, "bad_request"], body);
    }
    for (const log of [{ limit: 0 }, { limit: "x" }, { limit: 1001 }, { run_id: 1.5 }]) {
      assert.equal((await call(key, JSON.stringify({ log }))).status, 400, JSON.stringify(log));
    }
  });

  await test.step("with the secret key or the service_role key start a run and read the log", async () => {
    for (
      const headers of [key, { authorization: `Bearer ${keys.serviceRoleKey}` }, { apikey: keys.secretKey }]
    ) {
      const started = await call(headers);
      assert.equal(started.status, 202);
      const run = await project.ended(started.body.run_id!);
      assert.equal(run.status, "succeeded", run.error_message ?? "");
      const read = await call(headers, JSON.stringify({ log: { run_id: run.id } }));
      assert.deepEqual([read.status, read.body.runs?.length], [200, 1]);
    }
  });

  await test.step("of a run already active get 409 with its number", async () => {
    const [first, second] = await Promise.all([call(key), call(key)]);
    assert.deepEqual([first.status, second.status].sort(), [202, 409]);
    const refused = first.status === 409 ? first : second;
    assert.equal(refused.body.code, "not_started");
    assert.match(refused.body.message!, /is active/);
    assert.match(refused.body.hint!, /backup\.cancel/);
    await project.ended((first.status === 202 ? first : second).body.run_id!);
  });

  await test.step("cannot use a token twice", async () => {
    const token = crypto.randomUUID() + crypto.randomUUID();
    const [run] = await sql`select id::int from backup.log order by id desc limit 1`;
    await superuser`
      insert into backup.calls (hash, purpose, run_id, request_id, expires_at)
      values (sha256(convert_to(${token}, 'UTF8')), 'run', ${run!["id"]}, 0, now() + interval '1 minute')`;
    assert.equal((await call({ "x-backup-token": token })).status, 202);
    assert.equal((await call({ "x-backup-token": token })).status, 409);
    await superuser`update backup.calls set used_at = null, expires_at = now() - interval '1 second'`;
    assert.equal((await call({ "x-backup-token": token })).status, 401, "an expired token");
  });

  await test.step("are told when the database refuses the function's login, without a secret", async () => {
    const madeUp = crypto.randomUUID() + crypto.randomUUID();
    const malformed = ["", "nonsense", `copy-${crypto.randomUUID()}`];
    const wellFormed = [madeUp, `copy-${madeUp}`, `alert-${madeUp}`];
    const answers = async (tokens: string[]) => {
      const all = await Promise.all(tokens.map((token) => call({ "x-backup-token": token })));
      return [...new Set(all.map(({ status, body }) => JSON.stringify([status, body])))];
    };
    const before = await answers([...malformed, ...wellFormed]);
    assert.equal(before.length, 1, `one answer for all strangers: ${before.join("\n")}`);
    await superuser`alter role postgres password 'another'`;
    assert.deepEqual(await answers(malformed), before, "whatever the state of the database");
    // Whoever has what may be a token is the only one who can write the reason into the run's log.
    const told = await answers(wellFormed);
    assert.equal(told.length, 1, told.join("\n"));
    assert.match(told[0]!, /^\[424,.*The function cannot connect to the database: the login was refused"/);
    assert.doesNotMatch(told[0]!, /127\.0\.0\.1|role \\"/);
    const { status, body } = await call(key);
    assert.deepEqual([status, body.code], [424, "database_unreachable"]);
    assert.match(body.message!, /Cannot log in to the database at .* as role "postgres"/);
    assert.match(body.hint!, /SUPABASE_DB_URL/);
  });
});
