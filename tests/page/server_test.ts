/** Who may ask the page's server, and what it says of itself. */
import assert from "node:assert/strict";
import { pageApi } from "../../cli/page/api.ts";
import { bundlePage } from "../../cli/page/bundle.ts";
import { servePage } from "../../cli/page/server.ts";
import { fakeProject } from "./fake_project.ts";

/** Made once. The process of the bundler ends in its own time, in the midst of a test. */
const PAGE = await bundlePage();
const UNWATCHED = { sanitizeOps: false, sanitizeResources: false };

const MOST_BYTES = 200_000;

/** Sends a request as it is written: fetch() does not let a Host header be chosen. */
async function send(url: URL, { method = "GET", path = url.pathname, headers = {}, body = "" }: {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
} = {}): Promise<{ status: number; text: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
  const all = { host: url.host, connection: "close", "content-length": String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(new TextEncoder().encode(`${method} ${path} HTTP/1.1\r\n${lines}\r\n${body}`));
  const text = await new Response(connection.readable).text();
  return { status: Number(text.split(" ")[1]), text };
}

Deno.test("[page] the server answers only its own page's requests", UNWATCHED, async (test) => {
  const project = await fakeProject();
  const options = { ...project, databaseUrl: null, targetUrl: null, allowActions: false };
  const server = servePage(PAGE, pageApi(options));
  const url = new URL(server.url);
  const ask = (path: string, headers: Record<string, string> = {}) =>
    send(url, { path: `${url.pathname}${path}`, headers });
  try {
    await test.step("it listens on loopback, below a token that nobody guesses", () => {
      assert.equal(url.hostname, "127.0.0.1");
      assert.match(url.pathname, /^\/[A-Za-z0-9_-]{32}\/$/);
    });

    await test.step("without the token there is nothing", async () => {
      for (const path of ["/", "/api/overview", `/${"a".repeat(32)}/`, `/${"a".repeat(32)}/api/overview`]) {
        const { status, text } = await send(url, { path });
        assert.deepEqual([status, text.includes("backup-")], [404, false], path);
      }
    });

    await test.step("a name that was made to lead here (DNS rebinding) is refused, with the token as well", async () => {
      for (const host of ["evil.example", `evil.example:${url.port}`, "127.0.0.1", "0.0.0.0:" + url.port]) {
        const { status, text } = await ask("api/overview", { host });
        assert.deepEqual([status, text.includes("backup-")], [421, false], host);
      }
      assert.equal((await ask("api/overview", { host: `localhost:${url.port}` })).status, 200);
    });

    await test.step("a page of another site is refused, and may not show this one in a frame", async () => {
      for (const site of ["cross-site", "same-site"]) {
        assert.equal((await ask("api/overview", { "sec-fetch-site": site })).status, 403);
        assert.equal((await ask("page.js", { "sec-fetch-site": site })).status, 403);
      }
      // Somebody who follows a link to the address, in a chat for example.
      assert.equal((await ask("", { "sec-fetch-site": "cross-site" })).status, 200);
    });

    await test.step("every answer has the policy: no script but the page's own, nothing inline", async () => {
      for (const path of ["", "page.js", "api/overview", "api/nothing"]) {
        const { text } = await ask(path);
        const head = text.split("\r\n\r\n")[0]!.toLowerCase();
        assert.match(
          head,
          /content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';/,
        );
        assert.doesNotMatch(head, /unsafe|access-control|set-cookie/);
        assert.match(head, /frame-ancestors 'none'[\s\S]*referrer-policy: no-referrer/);
      }
      const { text } = await ask("");
      assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?:/);
    });

    await test.step("the page has no key, and is small", () => {
      const { script, style } = PAGE;
      const size = new TextEncoder().encode(script + style).length;
      assert.ok(size < MOST_BYTES, `${size} bytes`);
      assert.doesNotMatch(script, /SECRET|service_role/);
      // What is loaded is named relative to the page, but for names of XML.
      const addresses = [...(script + style).matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([address]) => address);
      assert.deepEqual(addresses.filter((address) => !address.startsWith("http://www.w3.org/")), []);
    });

    await test.step("it only looks: a restore is refused, also one that is asked for directly", async () => {
      const refused = await send(url, {
        method: "POST",
        path: `${url.pathname}api/restore`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ backup: "latest", tables: ["public.shows"], schema: "x" }),
      });
      assert.equal(refused.status, 500);
      assert.match(refused.text, /This page may only look[\s\S]*--allow-actions/);
    });
  } finally {
    await server.stop();
  }
});

Deno.test("[page] with --allow-actions a form of another site still cannot restore", UNWATCHED, async () => {
  const project = await fakeProject();
  const options = {
    ...project,
    databaseUrl: null,
    targetUrl: "postgresql://x@127.0.0.1:1/x",
    allowActions: true,
  };
  const server = servePage(PAGE, pageApi(options));
  const url = new URL(server.url);
  try {
    const body = JSON.stringify({ backup: "latest", tables: ["public.shows"], schema: "x" });
    const post = (headers: Record<string, string>) =>
      send(url, { method: "POST", path: `${url.pathname}api/restore`, headers, body });
    const json = { "content-type": "application/json" };
    assert.equal((await post({ ...json, "sec-fetch-site": "cross-site" })).status, 403);
    assert.match((await post({ "content-type": "text/plain" })).text, /Send JSON/);
  } finally {
    await server.stop();
  }
});
