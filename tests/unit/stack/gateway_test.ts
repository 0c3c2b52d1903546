import assert from "node:assert/strict";
import { type GatewayOptions, startGateway } from "../../../stack/gateway/gateway.ts";
import { projectKeys } from "../../../stack/keys.ts";

const keys = await projectKeys();

/** A gateway before an upstream that says what it saw, both of its services. */
async function withGateway(
  options: Omit<GatewayOptions, "keys">,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/bytes") {
      const range = request.headers.get("range");
      const headers = { "content-type": "application/octet-stream", "content-length": range ? "3" : "10" };
      const body = request.method === "HEAD" ? null : "0123456789".slice(range ? 7 : 0);
      return new Response(body, { status: range ? 206 : 200, headers });
    }
    if (pathname === "/endless") {
      return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536)) }));
    }
    let bytes = 0;
    for await (const chunk of request.body ?? []) bytes += chunk.length;
    return Response.json({ path: pathname + search, headers: Object.fromEntries(request.headers), bytes });
  });
  const gateway = startGateway({ keys, ...options });
  gateway.upstreams.functions = `http://127.0.0.1:${upstream.addr.port}`;
  gateway.upstreams.storage = `http://127.0.0.1:${upstream.addr.port}`;
  try {
    await run(gateway.url);
  } finally {
    await gateway.stop();
    await upstream.shutdown();
  }
}

async function seen(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  assert.equal(response.status, 200);
  return await response.json() as { path: string; headers: Record<string, string>; bytes: number };
}

Deno.test("[startGateway] strips its prefix and leaves path and query as they are", () =>
  withGateway({}, async (url) => {
    const { path } = await seen(`${url}/storage/v1/object/b/a%20b%2Fc.txt?token=x%3D1`);
    assert.equal(path, "/object/b/a%20b%2Fc.txt?token=x%3D1");
    assert.equal((await seen(`${url}/functions/v1/backup`)).path, "/backup");
  }));

Deno.test("[startGateway] gives Storage the JWT of the key's role", () =>
  withGateway({}, async (url) => {
    const jwtFor = async (headers: Record<string, string>) =>
      (await seen(`${url}/storage/v1/x`, { headers })).headers.authorization;
    const { secretKey, publishableKey, serviceRoleKey, anonKey } = keys;
    assert.equal(await jwtFor({ apikey: secretKey }), `Bearer ${serviceRoleKey}`);
    assert.equal(await jwtFor({ apikey: publishableKey }), `Bearer ${anonKey}`);
    assert.equal(await jwtFor({ authorization: `Bearer ${secretKey}` }), `Bearer ${serviceRoleKey}`);
    assert.equal(
      await jwtFor({ apikey: secretKey, authorization: `Bearer ${secretKey}` }),
      `Bearer ${serviceRoleKey}`,
    );
    assert.equal(await jwtFor({ apikey: anonKey }), `Bearer ${anonKey}`);
    // A user's token counts for more than the key beside it.
    assert.equal(await jwtFor({ apikey: secretKey, authorization: "Bearer a.b.c" }), "Bearer a.b.c");
    assert.equal(await jwtFor({}), undefined);
  }));

Deno.test("[startGateway] refuses a key that is none of the project's", () =>
  withGateway({}, async (url) => {
    for (const headers of [{ apikey: "sb_secret_no" }, { authorization: "Bearer sb_publishable_no" }]) {
      const response = await fetch(`${url}/storage/v1/x`, { headers });
      assert.equal(response.status, 401);
      assert.equal((await response.json()).message, "Invalid API key");
    }
  }));

Deno.test("[startGateway] hands functions both headers as they came", () =>
  withGateway({}, async (url) => {
    const headers = { apikey: keys.secretKey, authorization: `Bearer ${keys.secretKey}` };
    const got = (await seen(`${url}/functions/v1/f`, { headers })).headers;
    assert.equal(got.apikey, headers.apikey);
    assert.equal(got.authorization, headers.authorization);
    assert.equal((await seen(`${url}/functions/v1/f`)).headers.authorization, undefined);
  }));

Deno.test("[startGateway] keeps an upload's declared size", () =>
  withGateway({}, async (url) => {
    const body = new Uint8Array(5_000_000);
    const got = await seen(`${url}/storage/v1/object/b/n`, { method: "POST", body });
    assert.equal(got.bytes, body.length);
    assert.equal(got.headers["content-length"], String(body.length));
  }));

Deno.test("[startGateway] passes HEAD, Range and the size of the answer", () =>
  withGateway({}, async (url) => {
    const head = await fetch(`${url}/storage/v1/bytes`, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "10");
    await head.body?.cancel();
    const part = await fetch(`${url}/storage/v1/bytes`, { headers: { range: "bytes=7-9" } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-length"), "3");
    assert.equal(await part.text(), "789");
  }));

Deno.test("[startGateway] refuses what does not say who sends it, as Cloudflare does", () =>
  withGateway({}, async (url) => {
    const { hostname, port } = new URL(url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const head =
      "POST /storage/v1/object/b/n HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(head));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1\.1 403 .*error code: 1010$/s);
  }));

Deno.test("[startGateway] lets a test answer instead", () =>
  withGateway({
    intercept: (request) => request.url.includes("broken") ? new Response("as asked", { status: 500 }) : null,
  }, async (url) => {
    const broken = await fetch(`${url}/storage/v1/broken`);
    assert.deepEqual([broken.status, await broken.text()], [500, "as asked"]);
    await seen(`${url}/storage/v1/whole`);
  }));

Deno.test("[startGateway] says what is not part of the stack, and what no route is", () =>
  withGateway({}, async (url) => {
    const rest = await fetch(`${url}/rest/v1/customers`);
    assert.equal(rest.status, 503);
    assert.match((await rest.json()).message, /^\/rest\/v1 is not part of the stack$/);
    const nothing = await fetch(`${url}/nothing`);
    assert.equal(nothing.status, 404);
    await nothing.body?.cancel();
  }));

Deno.test("[startGateway] answers 503 before an upstream is there and 502 when it is gone", async () => {
  const gateway = startGateway({ keys });
  try {
    const early = await fetch(`${gateway.url}/storage/v1/x`);
    assert.equal(early.status, 503);
    await early.body?.cancel();
    gateway.upstreams.storage = "http://127.0.0.1:1";
    const gone = await fetch(`${gateway.url}/storage/v1/x`);
    assert.equal(gone.status, 502);
    await gone.body?.cancel();
  } finally {
    await gateway.stop();
  }
});

Deno.test("[Gateway.stop] ends a request under way", async () => {
  let ended: Promise<void> | undefined;
  await withGateway({}, async (url) => {
    const response = await fetch(`${url}/storage/v1/endless`);
    const reader = response.body!.getReader();
    await reader.read();
    // What withGateway() does next would wait for ever otherwise; the reader sees the end of it.
    reader.closed.catch(() => {});
    ended = (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
  });
  await ended;
});
