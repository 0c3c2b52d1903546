/**
 * What only the hosted platform has, as far as its sources tell: TLS, a gateway with rules of its own, restrictions.
 */
import assert from "node:assert/strict";
import { type Project, startProject } from "./project.ts";

interface Health {
  reasons: { code: string; severity: string; message: string }[];
  facts: { platform: Record<string, unknown> };
}

async function health({ sql }: Project): Promise<Health> {
  const [row] = await sql<{ health: Health }[]>`select to_jsonb(h) as health from backup.health h`;
  return row!.health;
}

Deno.test("on the hosted platform", async (test) => {
  await using project = await startProject();
  const { sql } = project;
  await sql`create table public.pages as select g as id, repeat('x', 500) as text from generate_series(1, 2000) g`;

  await test.step("everything is encrypted with the authority that the function is given", async () => {
    const seen: string[] = [];
    project.fault = (request) => {
      if (request.url.includes("/storage/")) seen.push(new URL(request.url).protocol);
      return null;
    };
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.deepEqual(run.warnings, []);
    assert.deepEqual([...new Set(seen)], ["https:"]);
    const { facts, reasons } = await health(project);
    const { worst_cpu_ms: cpu, ...platform } = facts.platform;
    assert.deepEqual(platform, {
      run: run.name,
      encrypted: true,
      uploads: "own client",
      calls: null,
      ended_at_a_limit: 0,
      hides_errors: null,
    });
    assert.ok(Number(cpu) > 0 && Number(cpu) <= 2000, `${cpu} ms`);
    assert.ok(reasons.every(({ code }) => !/encrypted|uploads|isolates/.test(code)));
  });

  await test.step("a gateway that refuses our own upload client gets the parts from fetch", async () => {
    // Only our own client ends its connections.
    project.fault = (request) =>
      request.url.includes("/storage/v1/object/backups/") && request.headers.get("connection") === "close"
        ? new Response("error code: 1010", { status: 403 })
        : null;
    // An isolate that has seen its own client at work would not look again.
    await Promise.all(project.stack.functions.workers().map(({ id }) => project.stack.functions.kill(id)));
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    const { facts, reasons } = await health(project);
    assert.equal(facts.platform["uploads"], "fetch: 403 error code: 1010");
    assert.equal(reasons.find(({ code }) => code === "uploads_by_fetch")?.severity, "info");
    project.fault = null;
  });

  await test.step("workers call their successors, and pg_net does where the platform refuses that", async () => {
    await sql`select backup.configure(slice_bytes => 262144, invocation_bytes => 20000000, workers => 1)`;
    let calls = 0;
    let refuses = false;
    project.fault = (request) => {
      if (
        !request.url.includes("/functions/v1/") || request.headers.get("user-agent")?.startsWith("pg_net")
      ) return null;
      calls++;
      return refuses ? new Response("error code: 1010", { status: 403 }) : null;
    };
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(calls > 0);
    assert.equal((await health(project)).facts.platform["calls"], null);

    // The last worker may still be calling.
    await Promise.all(project.stack.functions.workers().map(({ id }) => project.stack.functions.kill(id)));
    calls = 0;
    refuses = true;
    const other = await project.backUp();
    assert.equal(other.status, "succeeded", other.error_message ?? "");
    assert.equal(calls, 1, "one worker tries");
    const { facts, reasons } = await health(project);
    assert.equal(facts.platform["calls"], "403 error code: 1010");
    assert.equal(reasons.find(({ code }) => code === "calls_by_pg_net")?.severity, "info");
    project.fault = null;
  });
});

Deno.test("a function without the database's authority reads in clear text, and says so everywhere", async () => {
  // Another name of this machine, for which the server has no certificate.
  await using project = await startProject({ databaseHost: "0.0.0.0" });
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");
  const [warning] = run.warnings;
  assert.equal(warning?.code, "not_encrypted");
  assert.match(warning?.message ?? "", /is not encrypted: its certificate is not trusted: .*certificate/);
  const stored = await project.client.storage.from("backups").download(`${run.name}/manifest.json`);
  assert.match(await stored.data!.text(), /"not_encrypted"/);
  const { reasons } = await health(project);
  assert.equal(reasons.find(({ code }) => code === "not_encrypted")?.severity, "warning");
});

Deno.test("a database that the function cannot reach is in the run's log", async () => {
  // Its errors arrive although the gateway puts pages into the place of 5xx bodies.
  await using project = await startProject({ silentDatabase: true, hideErrors: true });
  const run = await project.backUp();
  assert.deepEqual([run.status, run.error_code], ["failed", "database_unreachable"]);
  assert.equal(run.error_message, "The function cannot connect to the database: no answer within 15 s");
  assert.match(run.error_hint ?? "", /BACKUP_DB_URL/);
});
