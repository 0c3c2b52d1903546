/**
 * What the internet may do without the project's secret: nothing, by no route of the function and none of Storage. That
 * the bucket shows and takes nothing through supabase-js is in tests/e2e/access_test.ts; what the function answers to
 * its callers, in callers_test.ts there.
 */
import assert from "node:assert/strict";
import { SignJWT, UnsecuredJWT } from "jose";
import { startProject } from "../e2e/project.ts";

/** What the function may be asked for, as its own source has it: what is added later is tried too. */
const ASKED = [
  ...(await Deno.readTextFile(new URL("../../supabase/functions/backup/index.ts", import.meta.url)))
    .matchAll(/\bbody\["(\w+)"\]/g),
].map(([, name]) => name!);

/** Every route of the function: what it may be asked, and by what method and path. */
const CALLS: { method: string; path: string; body?: string }[] = [
  ...[
    "{}",
    '{"run_id": 1}',
    '{"log": {}}',
    '{"health": true}',
    '{"prune": {}}',
    '{"prune": {"remove": []}}',
    ...ASKED.flatMap((name) => [`{"${name}": true}`, `{"${name}": {}}`]),
    "no JSON",
    "",
  ]
    .map((body) => ({ method: "POST", path: "backup", body })),
  ...["backup/", "backup/log", "backup?apikey=x", "%62ackup"].map((path) => ({
    method: "POST",
    path,
    body: "{}",
  })),
  ...["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({ method, path: "backup" })),
];

/** Every route of Storage that names a bucket or an object; `o` is an object that is there. */
const STORAGE = (o: string): { method: string; path: string; body?: unknown }[] => [
  { method: "GET", path: "bucket" },
  { method: "GET", path: "bucket/backups" },
  { method: "POST", path: "bucket", body: { id: "backups", name: "backups", public: true } },
  { method: "PUT", path: "bucket/backups", body: { public: true } },
  { method: "POST", path: "bucket/backups/empty" },
  { method: "DELETE", path: "bucket/backups" },
  { method: "POST", path: "object/list/backups", body: { prefix: "" } },
  { method: "POST", path: "object/list-v2/backups", body: { prefix: "" } },
  { method: "POST", path: `object/sign/backups/${o}`, body: { expiresIn: 60 } },
  { method: "POST", path: "object/sign/backups", body: { expiresIn: 60, paths: [o] } },
  { method: "POST", path: `object/upload/sign/backups/${o}` },
  { method: "PUT", path: `object/upload/sign/backups/${o}?token=x`, body: {} },
  { method: "GET", path: `object/sign/backups/${o}?token=x` },
  {
    method: "POST",
    path: "object/move",
    body: { bucketId: "backups", sourceKey: o, destinationKey: "stolen" },
  },
  {
    method: "POST",
    path: "object/copy",
    body: { bucketId: "backups", sourceKey: o, destinationKey: "stolen" },
  },
  { method: "POST", path: `object/backups/${o}`, body: {} },
  { method: "PUT", path: `object/backups/${o}`, body: {} },
  { method: "DELETE", path: `object/backups/${o}` },
  { method: "DELETE", path: "object/backups", body: { prefixes: [o] } },
  ...[
    "object",
    "object/public",
    "object/authenticated",
    "object/info",
    "object/info/public",
    "object/info/authenticated",
  ]
    .flatMap((route) => [{ method: "GET", path: `${route}/backups/${o}` }, {
      method: "HEAD",
      path: `${route}/backups/${o}`,
    }]),
];

Deno.test("without the project's secret", async (test) => {
  await using project = await startProject({ migrate: "directly" });
  const { stack, sql, superuser } = project;
  const { keys } = stack;
  assert.ok(ASKED.length >= 3, `${ASKED} is what may be asked for`);
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");

  const sign = (role: string, secret: string) =>
    new SignJWT({ role, sub: crypto.randomUUID() }).setProtectedHeader({ alg: "HS256" }).setExpirationTime(
      "1h",
    )
      .sign(new TextEncoder().encode(secret));
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const strangers: Record<string, Record<string, string>> = {
    "nobody": {},
    "the publishable key": { apikey: keys.publishableKey, ...bearer(keys.publishableKey) },
    "the legacy anon key": { apikey: keys.anonKey, ...bearer(keys.anonKey) },
    "a user who is logged in": {
      apikey: keys.publishableKey,
      ...bearer(await sign("authenticated", keys.jwtSecret)),
    },
    "a service_role token signed by somebody else": bearer(await sign("service_role", "x".repeat(40))),
    "a service_role token that is not signed": bearer(
      new UnsecuredJWT({ role: "service_role" }).setExpirationTime("1h").encode(),
    ),
    "a secret key of another project": { apikey: `${keys.secretKey.slice(0, -1)}~` },
    "a made-up call token": { "x-backup-token": crypto.randomUUID() + crypto.randomUUID() },
    "half a token for copies": { "x-backup-token": `copy-${crypto.randomUUID()}` },
    "a made-up token for copies": { "x-backup-token": `copy-${crypto.randomUUID()}${crypto.randomUUID()}` },
    "a made-up token for alerts": { "x-backup-token": `alert-${crypto.randomUUID()}${crypto.randomUUID()}` },
    "a call token that tries SQL": { "x-backup-token": "' or true or '" },
  };

  const state = async () => ({
    stored: await project.stored(),
    log: await sql`select id, status from backup.log`,
    settings: await sql`select * from backup.settings`,
    buckets: await superuser`select id, public from storage.buckets order by id`,
    etags: await superuser`select name, metadata ->> 'eTag' as etag from storage.objects order by name`,
  });
  const before = await state();

  for (const [name, headers] of Object.entries(strangers)) {
    await test.step(`${name} gets nothing from any route of the function`, async () => {
      for (const { method, path, body } of CALLS) {
        const response = await fetch(`${stack.apiUrl}/functions/v1/${path}`, {
          method,
          headers,
          body: body ?? null,
        });
        const text = await response.text();
        const call = `${method} ${path} ${body ?? ""}: ${response.status} ${text}`;
        assert.ok([401, 404, 405].includes(response.status), call);
        const said = text === "" ? {} : JSON.parse(text) as Record<string, unknown>;
        assert.ok(Object.keys(said).every((key) => ["code", "message", "hint"].includes(key)), call);
        if (response.status === 401) assert.equal(said["code"], "unauthorized", call);
      }
      assert.deepEqual(await state(), before);
    });

    await test.step(`${name} gets nothing from any route of Storage`, async () => {
      for (const { method, path, body } of STORAGE(`${run.name}/manifest.json`)) {
        const response = await fetch(`${stack.apiUrl}/storage/v1/${path}`, {
          method,
          headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
          body: body === undefined ? null : JSON.stringify(body),
        });
        const text = await response.text();
        const call = `${method} ${path}: ${response.status} ${text}`;
        // What is hidden is not there: an empty list, or the refusal of one who asked for a name.
        const empty = ["[]", '{"hasNext":false,"folders":[],"objects":[]}'].includes(text) ||
          /^\[\{"error":[^}]*"signedURL":null\}\]$/.test(text);
        assert.ok(response.status >= 400 || empty, call);
        assert.doesNotMatch(text, /sha256|snapshotAt|"id":"backups"/, call);
      }
      assert.deepEqual(await state(), before);
    });
  }

  await test.step("the same routes answer the one who has it, so that these refusals mean something", async () => {
    const headers = { apikey: keys.secretKey, ...bearer(keys.secretKey) };
    const listed = await fetch(`${stack.apiUrl}/storage/v1/object/list/backups`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: '{"prefix": ""}',
    });
    assert.match(await listed.text(), new RegExp(run.name));
    const object = await fetch(`${stack.apiUrl}/storage/v1/object/backups/${run.name}/manifest.json`, {
      headers,
    });
    assert.match(await object.text(), /sha256/);
    const health = await fetch(`${stack.apiUrl}/functions/v1/backup`, {
      method: "POST",
      headers,
      body: '{"health": true}',
    });
    assert.equal(health.status, 200);
    await health.body?.cancel();
  });
});
