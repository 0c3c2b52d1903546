/**
 * A call token that leaks, and the address that it is sent to. Tokens are taken from where they could leak: pg_net's
 * queue, which every role of the database may read, and the request itself.
 */
import assert from "node:assert/strict";
import { sessionsEnded, startProject, until } from "../e2e/project.ts";

interface Received {
  headers: Record<string, string>;
  body: string;
}

Deno.test("a call token", async (test) => {
  await using project = await startProject({ migrate: "directly", policy: "oneshot" });
  const { stack, sql, superuser } = project;
  const url = `${stack.apiUrl}/functions/v1/backup`;
  const [settings] = await sql<{ function_url: string }[]>`select function_url from backup.settings`;

  /** Shows a token; the status, once an isolate has looked at it. */
  const show = (token: string, body = "{}") =>
    until("an isolate looks at the token", async () => {
      const response = await fetch(url, { method: "POST", headers: { "x-backup-token": token }, body });
      const text = await response.text();
      return response.status === 503 ? null : { status: response.status, text };
    });

  /** A run whose calls go astray, to a listener that keeps what it was sent and answers as it is told. */
  async function withAstray(
    answer: () => Response,
    use: (run: number, received: Received[]) => Promise<void>,
  ): Promise<void> {
    const received: Received[] = [];
    const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      received.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
      return answer();
    });
    await sql`select backup.configure(function_url => ${`http://127.0.0.1:${listener.addr.port}/backup`})`;
    const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
    try {
      await until("a call has arrived", () => Promise.resolve(received.length > 0 ? true : null));
      await use(row!.id, received);
    } finally {
      await sql`select backup.cancel(${row!.id})`;
      await sql`select backup.configure(function_url => ${settings!.function_url})`;
      await listener.shutdown();
    }
  }
  const accepted = () => Response.json({}, { status: 202 });

  await test.step("is all that is sent to the configured address: no key, no password, no cookie", async () => {
    await withAstray(accepted, (run, [call]) => {
      const { "x-backup-token": token, ...headers } = call!.headers;
      assert.match(token!, /^run-[0-9a-f-]{72}$/);
      assert.deepEqual(JSON.parse(call!.body), { run_id: run });
      const known = [
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
      ];
      assert.deepEqual(Object.keys(headers).filter((name) => !known.includes(name)), []);
      return Promise.resolve();
    });
  });

  await test.step("that leaks starts one worker of its own run, and is nothing after its use", async () => {
    await withAstray(accepted, async (run, [call]) => {
      const token = call!.headers["x-backup-token"]!;
      const runs = (await sql`select from backup.log`).length;
      // Whom the thief's worker calls must not go astray too.
      await sql`select backup.configure(function_url => ${settings!.function_url})`;
      // Whatever else is asked with it: the token means its own run.
      const first = await show(token, '{"run_id": 999, "log": {}, "prune": {"remove": ["x"]}}');
      assert.deepEqual([first.status, JSON.parse(first.text)], [202, { run_id: run }]);
      for (let again = 0; again < 3; again++) assert.equal((await show(token)).status, 409);
      // What the thief has done is the work that was to be done.
      const done = await project.ended(run);
      assert.equal(done.status, "succeeded", done.error_message ?? "");
      assert.equal((await sql`select from backup.log`).length, runs);
      assert.equal((await show(token)).status, 409, "nor when its run is over");
    });
  });

  await test.step("shown many times at once is taken once", async () => {
    await withAstray(accepted, async (_run, [call]) => {
      const token = call!.headers["x-backup-token"]!;
      const answers = await Promise.all(Array.from({ length: 8 }, () => show(token)));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [202, ...Array(7).fill(409)]);
    });
  });

  await test.step("is nothing after its time, and nothing once its run has ended", async () => {
    await withAstray(accepted, async (_run, [call]) => {
      await superuser`update backup.calls set expires_at = clock_timestamp() - interval '1 second'`;
      assert.equal((await show(call!.headers["x-backup-token"]!)).status, 401);
    });
    await withAstray(accepted, async (run, [call]) => {
      await sql`select backup.cancel(${run})`;
      const { status } = await show(call!.headers["x-backup-token"]!);
      // It may still be looked at; no worker comes of it.
      assert.ok([202, 401].includes(status));
      await sessionsEnded(superuser);
      const [workers] = await superuser`select count(*)::int as n from backup.workers where run_id = ${run}`;
      assert.equal(workers!["n"], 0);
    });
  });

  await test.step("is kept as a hash: who reads the table cannot call", async () => {
    await withAstray(accepted, async (_run, [call]) => {
      const token = call!.headers["x-backup-token"]!;
      const rows = await superuser`select to_jsonb(c)::text as row from backup.calls c`;
      assert.ok(rows.length > 0 && !rows.some(({ row }) => row.includes(token)));
      const [row] = await superuser<{ hash: string }[]>`select encode(hash, 'hex') as hash from backup.calls`;
      assert.equal((await show(row!.hash)).status, 401);
    });
  });

  await test.step("lies in pg_net's queue, open to every role of the database, only until it is sent", async () => {
    await project.backUp();
    const [row] = await superuser`select count(*)::int as n from net.http_request_queue`;
    assert.equal(row!["n"], 0);
    const answers = await superuser<
      { content: string }[]
    >`select coalesce(content, '') as content from net._http_response`;
    assert.ok(answers.length > 0 && answers.every(({ content }) => !/[0-9a-f-]{72}/.test(content)));
  });

  await test.step("the address is an http one without user, query or fragment, and only postgres and service_role set it", async () => {
    for (
      const wrong of [
        "file:///etc/passwd",
        "gopher://127.0.0.1/x",
        "javascript:alert(1)",
        "https://user:password@host/functions/v1/backup",
        "https://host/functions/v1/backup?x=1",
        "https://host/functions/v1/backup#x",
        "https://host/a\r\nx-header: 1",
        "https://host /backup",
        "//host/backup",
        "",
      ]
    ) {
      await assert.rejects(
        async () => await sql`select backup.configure(function_url => ${wrong})`,
        /function_url_form/,
        wrong,
      );
    }
    for (const role of ["anon", "authenticated"]) {
      await assert.rejects(
        superuser.begin(async (sql) => {
          await sql.unsafe(`set local role ${role}`);
          await sql`select backup.configure(function_url => 'https://elsewhere.example/backup')`;
        }),
        { code: "42501" },
      );
    }
    const [after] = await sql`select function_url from backup.settings`;
    assert.equal(after!["function_url"], settings!.function_url);
  });

  await test.step("what the address answers comes no further than 1,000 characters into the database's own tables", async () => {
    await withAstray(() => new Response("s".repeat(5000), { status: 404 }), async () => {
      const length = await until("the answer is kept", async () => {
        await sql`select backup._collect_responses(id) from backup.log where finished_at is null`;
        const [row] =
          await superuser`select length(answer ->> 'body') as n from backup.calls where purpose = 'run' and answer is not null`;
        return row?.["n"] ?? null;
      });
      assert.equal(length, 1000);
    });
  });
});
