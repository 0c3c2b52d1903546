/** Requests in, answers out: what a function and its callers see. */
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { JWT_SECRET, until, withFunctions } from "./runner.ts";

const ECHO = `
  Deno.serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    return new Response(await request.text(), {
      status: 201,
      headers: { "x-path": pathname + search, "x-method": request.method, "x-sent": request.headers.get("x-sent") },
    });
  });`;

const HELLO = `export default { fetch: () => new Response("hello") };`;

Deno.test("[functions] passes on path, query, method, headers and body, and the answer", async () => {
  await withFunctions({ echo: ECHO }, {}, async ({ call }) => {
    const response = await call("/echo/deeper/x?y=1&z", {
      method: "PUT",
      body: "ä body",
      headers: { "x-sent": "1" },
    });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get("x-path"), "/echo/deeper/x?y=1&z");
    assert.equal(response.headers.get("x-method"), "PUT");
    assert.equal(response.headers.get("x-sent"), "1");
    assert.equal(await response.text(), "ä body");
  });
});

Deno.test("[functions] serves the declarative form", async () => {
  await withFunctions({ hello: HELLO }, {}, async ({ call }) => {
    assert.equal(await (await call("/hello")).text(), "hello");
  });
});

Deno.test("[functions] streams: the first bytes are there before the last are made", async () => {
  const source = `
    let more;
    export default { fetch(request) {
      if (request.method === "POST") { more.close(); return new Response(); }
      return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([1])); more = c; } }));
    } };`;
  await withFunctions({ stream: source }, {}, async ({ call }) => {
    const reader = (await call("/stream")).body!.getReader();
    assert.deepEqual((await reader.read()).value, new Uint8Array([1]));
    await (await call("/stream", { method: "POST" })).body?.cancel();
    assert.equal((await reader.read()).done, true);
  });
});

Deno.test("[functions] leaves redirects to the caller", async () => {
  const source = `export default { fetch: () => Response.redirect("http://127.0.0.1:1/elsewhere") };`;
  await withFunctions({ redirect: source }, {}, async ({ call }) => {
    const response = await call("/redirect", { redirect: "manual" });
    await response.body?.cancel();
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), "http://127.0.0.1:1/elsewhere");
  });
});

Deno.test("[functions] answers for unknown functions, shared code and no name as the platform does", async () => {
  await withFunctions({ hello: HELLO, _shared: HELLO }, {}, async ({ call, workers }) => {
    for (const path of ["/", "/unknown", "/unknown/hello", "/_shared", "/..%2Fhello"]) {
      const response = await call(path);
      assert.equal(response.status, 404, path);
      assert.equal(response.headers.get("sb-error-code"), "NOT_FOUND");
      assert.deepEqual(await response.json(), {
        code: "NOT_FOUND",
        message: "Requested function was not found",
      });
    }
    assert.deepEqual(workers(), []);
  });
});

Deno.test("[functions] asks for a JWT of the project unless the function is said to want none", async () => {
  const token = (secret: string, expires: string) =>
    new SignJWT({ role: "anon" }).setProtectedHeader({ alg: "HS256" }).setExpirationTime(expires)
      .sign(new TextEncoder().encode(secret));
  const good = await token(JWT_SECRET, "1h");
  const refused: [Record<string, string>, string][] = [
    [{}, "UNAUTHORIZED_NO_AUTH_HEADER"],
    [{ authorization: "Basic eDp5" }, "UNAUTHORIZED_INVALID_JWT_FORMAT"],
    [{ authorization: "Bearer sb_secret_x" }, "UNAUTHORIZED_INVALID_JWT_FORMAT"],
    [{ authorization: `Bearer ${await token("another secret", "1h")}` }, "UNAUTHORIZED_LEGACY_JWT"],
    [{ authorization: `Bearer ${await token(JWT_SECRET, "-1h")}` }, "UNAUTHORIZED_LEGACY_JWT"],
  ];
  await withFunctions({ hello: HELLO, open: HELLO }, { verifyJwt: { open: false } }, async ({ call }) => {
    for (const [headers, code] of refused) {
      const response = await call("/hello", { headers });
      assert.equal(response.status, 401);
      assert.equal((await response.json()).code, code);
    }
    const welcome = [
      await call("/hello", { headers: { authorization: `Bearer ${good}` } }),
      await call("/hello", { method: "OPTIONS" }),
      await call("/open"),
    ];
    for (const response of welcome) assert.equal(await response.text(), "hello");
  });
});

Deno.test("[functions] answers 504 when no response comes in time, and leaves the worker to its work", async () => {
  const source = `export default { async fetch(request) {
    if (request.method === "GET") await new Promise((resolve) => setTimeout(resolve, 3000));
    console.log(request.method, "done");
    return new Response("done");
  } };`;
  await withFunctions({ slow: source }, { limits: { responseMs: 1500 } }, async ({ call, logs, worker }) => {
    await (await call("/slow", { method: "POST" })).text();
    const response = await call("/slow");
    assert.equal(response.status, 504);
    assert.deepEqual(await response.json(), {
      code: "IDLE_TIMEOUT",
      message: "Request idle timeout limit (1.5s) reached",
    });
    await until(() => logs.some(({ message }) => message === "GET done"));
    assert.equal(worker().state, "serving");
  });
});

Deno.test("[functions] answers 503 for a function that fails at boot, and its logs say why", async () => {
  const sources = {
    throws: `throw new Error("no good");`,
    imports: `import "a-package-that-is-nowhere"; Deno.serve(() => new Response());`,
    idle: `console.log("I serve nothing");`,
  };
  await withFunctions(sources, {}, async ({ call, logs, workers }) => {
    const reasons = { throws: /no good/, imports: /a-package-that-is-nowhere/, idle: /neither calls Deno/ };
    for (const [name, reason] of Object.entries(reasons)) {
      const response = await call(`/${name}`);
      assert.equal(response.status, 503);
      assert.deepEqual(await response.json(), {
        code: "BOOT_ERROR",
        message: "Function failed to start (please check logs)",
      });
      const errors = logs.filter((line) => line.function === name && line.level === "error");
      assert.match(errors.map(({ message }) => message).join("\n"), reason);
    }
    assert.deepEqual(workers().map(({ ended }) => ended), ["boot_error", "boot_error", "boot_error"]);
  });
});

Deno.test("[functions] does not start a function that is larger than the platform takes", async () => {
  await withFunctions({ hello: HELLO }, { limits: { bundleBytes: 10 } }, async ({ call, logs, workers }) => {
    const response = await call("/hello");
    assert.equal((await response.json()).code, "BOOT_ERROR");
    assert.match(logs[0]!.message, /more than the platform's 10/);
    assert.deepEqual(workers(), []);
  });
});
