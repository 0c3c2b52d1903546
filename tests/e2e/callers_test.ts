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

  const call = async (headers: Record<string, string>, body = "{}", method = "POST"): Promise<Answer> => {
    const response = await fetch(url, { method, headers, body: method === "GET" ? null : body });
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
      insert into backup.calls (hash, run_id, request_id, expires_at)
      values (sha256(convert_to(${token}, 'UTF8')), ${run!["id"]}, 0, now() + interval '1 minute')`;
    assert.equal((await call({ "x-backup-token": token })).status, 202);
    // The isolate that took the token may be at work, and then does not even look.
    const again = await until("the isolate looks at the token", async () => {
      const { status } = await call({ "x-backup-token": token });
      return status === 503 ? null : status;
    });
    assert.equal(again, 401);
    await superuser`update backup.calls set used_at = null, expires_at = now() - interval '1 second'`;
    assert.equal((await call({ "x-backup-token": token })).status, 401, "an expired token");
  });

  await test.step("are told when the database refuses the function's login, without a secret", async () => {
    await superuser`alter role postgres password 'another'`;
    const { status, body } = await call(key);
    assert.deepEqual([status, body.code], [500, "database_unreachable"]);
    assert.match(body.message!, /refused the login of role "postgres"/);
    assert.match(body.hint!, /SUPABASE_DB_URL/);
  });
});
