/** How pg_net behaves towards SQL and HTTP. `CONTRACT_DATABASE_URL=… deno test tests/contract` asks the real one. */
import assert from "node:assert/strict";
import { type Fixture, startFixture, waitFor } from "./pg_net_fixture.ts";

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Requests whose answers are looked at below; queued at once, because the worker takes a batch a second. */
const REQUESTS = {
  ok: "net.http_get('$url/status?code=200')",
  broken: "net.http_get('$url/status?code=500')",
  post: `net.http_post('$url/echo', '{"b":[1,2],"a":"ü"}')`,
  postNull: "net.http_post('$url/echo', body := null)",
  params: `net.http_get('$url/echo?x=1', params := '{"a b":"c&d=ü","n":5}')`,
  headers: `net.http_post('$url/echo', headers := '{"X-Number":7,"X-Null":null,"X-Text":"t"}')`,
  delete: "net.http_delete('$url/echo')",
  deleteBody: `net.http_delete('$url/echo', body := '{"a":1}')`,
  redirect: "net.http_get('$url/redirect')",
  big: "net.http_get('$url/big')",
  binary: "net.http_get('$url/binary')",
  empty: "net.http_get('$url/empty')",
};

type Ids = Record<keyof typeof REQUESTS, string>;

async function enqueue({ sql, url }: Fixture): Promise<Ids> {
  const calls = Object.entries(REQUESTS).map(([name, call]) => `(${call})::text as "${name}"`);
  const [row] = await sql.unsafe<[Ids]>(`select ${calls.join().replaceAll("$url", url)}`);
  return row;
}

/** What the server saw of a request. */
async function echoOf({ response }: Fixture, id: string): Promise<Echo> {
  const row = await response(id);
  assert.equal(row.error_msg, null);
  return JSON.parse(row.content!);
}

async function idOf({ sql, url }: Fixture, call: string): Promise<string> {
  const [row] = await sql.unsafe(`select (${call.replaceAll("$url", url)})::text as id`);
  return row!.id;
}

async function codeOf({ sql, url }: Fixture, query: string): Promise<[string, string]> {
  const error = await sql.unsafe(query.replaceAll("$url", url)).then(() => null, (error) => error);
  assert.ok(error, `${query} was accepted`);
  return [error.code, error.message];
}

Deno.test("pg_net", async (t) => {
  await using fixture = await startFixture();
  const { sql, url, seen, response } = fixture;

  await t.step("has these functions, executable by everybody, with the caller's rights", async () => {
    const rows = await sql`
      select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) as signature
      from pg_proc
      where pronamespace = 'net'::regnamespace and not prosecdef and has_function_privilege('anon', oid, 'execute')
        and proname in ('http_get', 'http_post', 'http_delete', '_http_collect_response', 'http_collect_response',
          'worker_restart', 'wake', 'wait_until_running', 'check_worker_is_up')
      order by proname`;
    const json = "jsonb DEFAULT '{}'::jsonb";
    const timeout = "timeout_milliseconds integer DEFAULT 5000";
    const contentType = `'{"Content-Type": "application/json"}'::jsonb`;
    const collect = "request_id bigint, async boolean DEFAULT true) net.http_response_result";
    assert.deepEqual(rows.map(({ signature }) => signature), [
      `_http_collect_response(${collect}`,
      "check_worker_is_up() void",
      `http_collect_response(${collect}`,
      `http_delete(url text, params ${json}, headers ${json}, ${timeout}, body jsonb DEFAULT NULL::jsonb) bigint`,
      `http_get(url text, params ${json}, headers ${json}, ${timeout}) bigint`,
      `http_post(url text, body ${json}, params ${json}, headers jsonb DEFAULT ${contentType}, ${timeout}) bigint`,
      "wait_until_running() void",
      "wake() void",
      "worker_restart() boolean",
    ]);
  });

  await t.step("has two unlogged tables that everybody may use", async () => {
    const rows = await sql`
      select relname, relpersistence as kept, string_agg(attname || ' ' || format_type(atttypid, null), ', ' order by attnum)
        as columns, has_table_privilege('anon', c.oid, 'select, insert, update, delete') as open
      from pg_class c join pg_attribute on attrelid = c.oid and attnum > 0
      where relnamespace = 'net'::regnamespace and relkind = 'r'
      group by c.oid order by relname`;
    assert.deepEqual(rows.map((row) => ({ ...row })), [
      {
        relname: "_http_response",
        kept: "u",
        columns:
          "id bigint, status_code integer, content_type text, headers jsonb, content text, timed_out boolean, " +
          "error_msg text, created timestamp with time zone",
        open: true,
      },
      {
        relname: "http_request_queue",
        kept: "u",
        columns:
          "id bigint, method net.http_method, url text, headers jsonb, body bytea, timeout_milliseconds integer",
        open: true,
      },
    ]);
  });

  await t.step("has a worker that is up", async () => {
    await sql`select net.wait_until_running(), net.check_worker_is_up()`;
    const [row] =
      await sql`select count(*)::int from pg_stat_activity where application_name like 'pg\\_net %'`;
    assert.ok(row!.count >= 1);
  });

  await t.step("sends after the commit, not before", async () => {
    let committed = 0;
    await sql.begin(async (sql) => {
      await sql`select net.http_get(${`${url}/committed`})`;
      // A request of another transaction is served meanwhile: the worker is not merely slow.
      await response(await idOf(fixture, "net.http_get('$url/echo')"));
      assert.ok(!seen.some(({ path }) => path === "/committed"));
      committed = Date.now();
    });
    const { at } = await waitFor(
      () => Promise.resolve(seen.find(({ path }) => path === "/committed")),
      "the request",
    );
    assert.ok(at >= committed);
  });

  await t.step("sends nothing after a rollback, and does not use the number again", async () => {
    let lost = "";
    await sql.begin(async (sql) => {
      const [row] = await sql`select net.http_get(${`${url}/rolled-back`})::text as id`;
      lost = row!.id;
      throw new Error("roll back");
    }).catch(() => {});
    const next = await idOf(fixture, "net.http_get('$url/echo')");
    await response(next);
    assert.ok(Number(next) > Number(lost));
    assert.ok(!seen.some(({ path }) => path === "/rolled-back"));
    const [left] = await sql`select from net._http_response where id = ${lost}`;
    assert.equal(left, undefined);
  });

  const ids = await enqueue(fixture);

  await t.step("records an answer, and takes the request off the queue", async () => {
    const row = await response(ids.ok);
    assert.deepEqual([row.status_code, row.content, row.timed_out, row.error_msg], [
      200,
      "so it is",
      false,
      null,
    ]);
    assert.equal(row.content_type, "text/plain;charset=UTF-8");
    assert.equal(row.headers!["content-type"], row.content_type);
    const [left] = await sql`select from net.http_request_queue where id = ${ids.ok}`;
    assert.equal(left, undefined);
    const [result] = await sql`select (net._http_collect_response(${ids.ok})).*`;
    assert.equal(result!.status, "SUCCESS");
    assert.equal(result!.message, "ok");
  });

  await t.step("takes HTTP's own errors for answers", async () => {
    const row = await response(ids.broken);
    assert.deepEqual([row.status_code, row.timed_out, row.error_msg], [500, false, null]);
    const [result] = await sql`select (net._http_collect_response(${ids.broken})).status`;
    assert.equal(result!.status, "SUCCESS");
  });

  await t.step("sends a body as the text of jsonb, with its own user agent", async () => {
    const { method, headers, body } = await echoOf(fixture, ids.post);
    assert.deepEqual([method, body], ["POST", '{"a": "ü", "b": [1, 2]}']);
    assert.equal(headers["content-type"], "application/json");
    assert.match(headers["user-agent"]!, /^pg_net\/0\./);
    const empty = await echoOf(fixture, ids.postNull);
    assert.deepEqual([empty.method, empty.body], ["POST", ""]);
  });

  await t.step("encodes params into the query", async () => {
    const { url: asked } = await echoOf(fixture, ids.params);
    // libcurl writes hexadecimal digits in both cases.
    assert.equal(asked.toLowerCase(), `${url}/echo?x=1&n=5&a%20b=c%26d%3d%c3%bc`);
  });

  await t.step("sends headers as text, leaves null ones out, adds the content type", async () => {
    const { headers } = await echoOf(fixture, ids.headers);
    assert.equal(headers["x-number"], "7");
    assert.equal(headers["x-text"], "t");
    assert.ok(!("x-null" in headers));
    assert.equal(headers["content-type"], "application/json");
  });

  await t.step("sends a delete with and without a body", async () => {
    const bare = await echoOf(fixture, ids.delete);
    assert.deepEqual([bare.method, bare.body], ["DELETE", ""]);
    const { method, body, headers } = await echoOf(fixture, ids.deleteBody);
    assert.deepEqual([method, body], ["DELETE", '{"a": 1}']);
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
  });

  await t.step("follows redirects", async () => {
    assert.equal((await echoOf(fixture, ids.redirect)).url, `${url}/echo?redirected=1`);
  });

  await t.step("keeps text whole, and nothing of what begins with a zero byte", async () => {
    const big = await response(ids.big);
    assert.equal(big.content!.length, 1_500_000);
    for (const id of [ids.binary, ids.empty]) {
      const row = await response(id);
      assert.deepEqual([row.status_code, row.content || null], [200, null]);
    }
  });

  await t.step("refuses at the call what cannot be a request", async () => {
    const [, notUrl] = await codeOf(fixture, "select net.http_get('not a url')");
    assert.match(notUrl, /^invalid URL "not a url": Bad scheme/);
    assert.equal((await codeOf(fixture, "select net.http_get(null)"))[0], "23502");
    const put =
      "insert into net.http_request_queue (method, url, timeout_milliseconds) values ('PUT', '$url', 1)";
    assert.equal((await codeOf(fixture, put))[0], "23514");
    const text = `select net.http_post('$url/echo', headers := '{"content-type":"text/plain"}')`;
    assert.deepEqual(await codeOf(fixture, text), [
      "P0001",
      'Content-Type header must be "application/json"',
    ]);
    assert.equal((await codeOf(fixture, "select net.http_collect_response(1)"))[0], "42601");
  });
});
