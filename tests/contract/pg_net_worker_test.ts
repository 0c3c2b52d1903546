/** How pg_net's worker goes about failures, batches and old responses. */
import assert from "node:assert/strict";
import { freePort } from "../../stack/postgres/port.ts";
import { startFixture, waitFor } from "./pg_net_fixture.ts";

/** A server that takes a connection, reads a little, and closes it. */
function startRude(): { url: string; taken: () => number; [Symbol.dispose](): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let taken = 0;
  (async () => {
    for await (const connection of listener) {
      taken++;
      await connection.read(new Uint8Array(4096));
      connection.close();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return { url: `http://127.0.0.1:${port}`, taken: () => taken, [Symbol.dispose]: () => listener.close() };
}

Deno.test("pg_net's worker", async (t) => {
  await using fixture = await startFixture();
  const { sql, url, seen, response } = fixture;
  const get = async (target: string, timeoutMs = 5000) => {
    const [row] = await sql`select net.http_get(${target}, timeout_milliseconds := ${timeoutMs})::text as id`;
    return row!.id as string;
  };

  await t.step("records a timeout, without what was received until then", async () => {
    const id = await get(`${url}/slow?ms=1500`, 300);
    const row = await response(id);
    assert.deepEqual([row.status_code, row.timed_out, row.content, row.headers], [null, true, null, null]);
    const ms = String.raw`\d+\.\d{6} ms`;
    const phases = `DNS time: ${ms}, TCP/SSL handshake time: ${ms}, HTTP Request/Response time: ${ms}`;
    assert.match(
      row.error_msg!,
      new RegExp(`^Timeout of 300 ms reached. Total time: ${ms} \\(${phases}\\)$`),
    );
    const [result] = await sql`select (net._http_collect_response(${id})).*`;
    assert.deepEqual([result!.status, result!.message], ["ERROR", row.error_msg]);
  });

  await t.step("waits five seconds unless told", async () => {
    await sql.begin(async (sql) => {
      await sql`select net.http_get(${`${url}/never-sent`})`;
      const rows =
        await sql`select timeout_milliseconds as ms from net.http_request_queue where url like '%/never-sent'`;
      assert.deepEqual(rows.map(({ ms }) => ms), [5000]);
      throw new Error("roll back");
    }).catch((error) => assert.equal(error.message, "roll back"));
  });

  await t.step("records why a request did not arrive, and tries it once", async () => {
    using rude = startRude();
    const cases: [string, RegExp][] = [
      [`http://127.0.0.1:${freePort()}/`, /^Could(n't| not) connect to server$/],
      ["http://no-such-host.invalid/", /^Could(n't| not) resolve host name$/],
      [rude.url, /^Server returned nothing \(no headers, no data\)$/],
      ["ftp://127.0.0.1/", /^Unsupported protocol$/],
    ];
    const targets = cases.map(([target]) => target);
    const rows = await sql`select net.http_get(target)::text as id from unnest(${targets}::text[]) target`;
    for (const [index, [, message]] of cases.entries()) {
      const row = await response(rows[index]!.id);
      assert.deepEqual([row.status_code, row.timed_out, row.content], [null, false, null]);
      assert.match(row.error_msg!, message);
    }
    assert.equal(rude.taken(), 1);
  });

  await t.step("says of an unknown number that it is not found", async () => {
    const [result] = await sql`select (net._http_collect_response(9000000000)).*`;
    assert.deepEqual([result!.status, result!.message], ["ERROR", "request matching request_id not found"]);
  });

  await t.step("shows nothing of a batch, and sends nothing else, until its slowest is done", async () => {
    const [batch] = await sql`
      select net.http_get(${`${url}/slow-of-batch?ms=1000`})::text as slow, net.http_get(${`${url}/fast`})::text as fast`;
    const sent = await waitFor(
      () => Promise.resolve(seen.find(({ path }) => path === "/slow-of-batch")),
      "the batch",
    );
    await get(`${url}/later`);
    const asked = Date.now();
    const slow = await response(batch!.slow);
    const took = Date.now() - sent.at;
    assert.ok(took >= 1000, `the slow answer was there after ${took} ms`);
    const fast = await response(batch!.fast);
    assert.deepEqual(fast.created, slow.created);
    assert.ok(fast.created.getTime() <= sent.at, "created is the batch's beginning");
    const later = await waitFor(
      () => Promise.resolve(seen.find(({ path }) => path === "/later")),
      "the later one",
    );
    assert.ok(later.at >= sent.at + 1000 && asked < sent.at + 1000);
  });

  await t.step("drops responses older than six hours, when it next has something to do", async () => {
    // The worker looks again a second after a batch; then it sleeps.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await sql`insert into net._http_response (id, created) values (-1, now() - interval '7 hours'), (-2, now() - interval '5 hours')`;
    const old = async () =>
      (await sql`select id::text from net._http_response where id < 0`).map(({ id }) => id);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.deepEqual(await old(), ["-1", "-2"]);
    await response(await get(`${url}/echo`));
    assert.deepEqual(await old(), ["-2"]);
    await sql`delete from net._http_response where id = -2`;
  });
});
