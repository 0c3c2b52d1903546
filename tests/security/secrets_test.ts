/**
 * Runs fail in many ways, and nothing that is written down on the way holds a secret: no row of the schema `backup`,
 * none of pg_net's responses, no line of the function's log, no answer to a caller.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startProject, until } from "../e2e/project.ts";

const isStorage = (request: Request) => new URL(request.url).pathname.startsWith("/storage/v1/");

Deno.test("secrets", async (test) => {
  await using project = await startProject();
  const { stack, sql, superuser } = project;
  const { keys } = stack;
  await sql`create table public.pages as select g as id, repeat('x', 500) as text from generate_series(1, 2000) g`;
  await sql`select backup.configure(max_attempts => 1, workers => 1)`;

  const secrets: Record<string, string> = {
    "the database's password": new URL(stack.databaseUrl).password,
    "the connection string": stack.databaseUrl,
    "the secret key": keys.secretKey,
    "the service_role key": keys.serviceRoleKey,
    "the JWT secret": keys.jwtSecret,
  };
  const answers: string[] = [];
  const call = async (headers: Record<string, string>, body: string) => {
    const response = await fetch(`${stack.apiUrl}/functions/v1/backup`, { method: "POST", headers, body });
    answers.push(
      `${response.status} ${JSON.stringify(Object.fromEntries(response.headers))} ${await response.text()}`,
    );
    return response.status;
  };
  const key = { authorization: `Bearer ${keys.secretKey}`, apikey: keys.secretKey };

  /** Everything that was written down, by where. */
  async function written(): Promise<Record<string, string>> {
    const found: Record<string, string> = {
      "the function's log": project.logged.join("\n"),
      "answers": answers.join("\n"),
    };
    const tables = await superuser<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c
      where c.relkind = 'r' and c.relnamespace = 'backup'::regnamespace or c.oid in ('net._http_response'::regclass, 'cron.job'::regclass, 'cron.job_run_details'::regclass)`;
    for (const { name } of tables) {
      const rows = await superuser.unsafe<{ row: string }[]>(
        `select to_jsonb(t)::text as row from ${name} t`,
      );
      found[name] = rows.map(({ row }) => row).join("\n");
    }
    return found;
  }

  async function expectNoSecret(): Promise<void> {
    for (const [where, text] of Object.entries(await written())) {
      for (const [what, secret] of Object.entries(secrets)) {
        assert.ok(!text.includes(secret), `${where} holds ${what}`);
      }
      assert.doesNotMatch(text, /postgres(ql)?:\/\/[^\s"]*@/, `${where} holds a connection string`);
    }
  }

  const FAILURES: Record<string, { code: string; act(): Promise<unknown>; undo?(): Promise<unknown> }> = {
    "Storage is full": {
      code: "storage_full",
      act: () => {
        project.fault = (request) =>
          isStorage(request) && request.method === "POST" && /\.dump/.test(request.url)
            ? Response.json({
              statusCode: "413",
              error: "Payload too large",
              message: "The object exceeded the maximum allowed size",
            }, { status: 400 })
            : null;
        return Promise.resolve();
      },
    },
    "Storage refuses the key": {
      code: "storage_failed",
      act: () => {
        project.fault = (request) =>
          isStorage(request)
            ? Response.json({
              statusCode: "403",
              error: "Unauthorized",
              message: "signature verification failed",
            }, { status: 400 })
            : null;
        return Promise.resolve();
      },
    },
    "Storage answers a page of HTML": {
      code: "storage_failed",
      act: () => {
        project.fault = (request) =>
          isStorage(request) ? new Response("<html>no</html>", { status: 404 }) : null;
        return Promise.resolve();
      },
    },
    "what is stored is something else": {
      code: "verification_failed",
      act: () => {
        project.fault = (request) =>
          request.method === "GET" && /0000\d\.dump/.test(request.url)
            ? new Response("not the part", { headers: { "content-type": "application/octet-stream" } })
            : null;
        return Promise.resolve();
      },
    },
    "a table is locked": {
      code: "lock_timeout",
      act: async () => {
        await sql`select backup.configure(lock_timeout_ms => 100)`;
        await superuser`create table if not exists public.locked (id int)`;
        locker = postgres(stack.superuserUrl, { max: 1 });
        const held = await locker.reserve();
        await held`begin`;
        await held`lock table public.locked in access exclusive mode`;
      },
      undo: async () => {
        await locker?.end({ timeout: 1 });
        await sql`select backup.configure(lock_timeout_ms => 10000)`;
      },
    },
    "the login is refused": {
      code: "database_unreachable",
      act: () => superuser`alter role postgres password 'another'`,
      undo: () => superuser.unsafe(`alter role postgres password '${new URL(stack.databaseUrl).password}'`),
    },
  };
  let locker: postgres.Sql | undefined;

  await test.step("are in nothing that a good run writes down", async () => {
    assert.equal((await project.backUp()).status, "succeeded");
    assert.equal(await call(key, '{"log": {}}'), 200);
    assert.equal(await call(key, '{"health": true}'), 200);
    assert.equal(await call(key, '{"prune": {}}'), 200);
    await expectNoSecret();
  });

  for (const [name, { code, act, undo }] of Object.entries(FAILURES)) {
    await test.step(`are in nothing that is written down when ${name}`, async () => {
      await act();
      try {
        const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
        // The callers' answers of such a time count too.
        for (const body of ["{}", '{"log": {}}', '{"prune": {}}', "no JSON"]) await call(key, body);
        const run = await until(`the run ends while ${name}`, async () => {
          // Calls in vain are repeated after five seconds: let them be over.
          await superuser`
            with calls as (update backup.calls set created_at = created_at - interval '5 seconds' where answer is not null)
            update backup.log set started_at = started_at - interval '5 seconds' where finished_at is null and heartbeat_at is null`;
          await sql`select backup.watch()`;
          const now = await project.run(row!.id);
          return now.finished_at === null ? null : now;
        });
        assert.deepEqual([run.status, run.error_code], ["failed", code], run.error_message ?? "");
        await call(key, JSON.stringify({ log: { run_id: row!.id } }));
      } finally {
        project.fault = null;
        await undo?.();
      }
      await expectNoSecret();
    });
  }

  await test.step("are in no answer to those who show a wrong one, which is not repeated either", async () => {
    const wrong = `${keys.secretKey}-and-a-word-that-is-told-to-nobody`;
    for (
      const headers of [{ authorization: `Bearer ${wrong}` }, { apikey: wrong }, { "x-backup-token": wrong }]
    ) {
      assert.equal(await call(headers as Record<string, string>, "{}"), 401);
    }
    for (const text of Object.values(await written())) assert.ok(!text.includes("told-to-nobody"));
    await expectNoSecret();
  });

  await test.step("would be found here, if there were one", async () => {
    await superuser`insert into backup.events (verdict, reasons) values ('ok', ${
      superuser.json([keys.secretKey])
    })`;
    await assert.rejects(expectNoSecret(), /backup\.events holds the secret key/);
  });
});
