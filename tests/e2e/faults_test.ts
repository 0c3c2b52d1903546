/** What may go wrong in a run, on real parts: it goes on, or it ends with the reason and the older backups stay. */
import assert from "node:assert/strict";
import { startProject, until } from "./project.ts";

const isUpload = (request: Request, name: RegExp) =>
  /^(POST|PUT)$/.test(request.method) && request.url.includes("/storage/v1/object/backups/") &&
  name.test(request.url);

const storageError = (status: number, statusCode: string, message: string) =>
  Response.json({ statusCode, error: "error", message }, { status });

Deno.test("a run under faults", async (test) => {
  await using project = await startProject();
  const { stack, sql, superuser } = project;
  await sql.unsafe(
    "create table public.pages as select g as id, repeat(md5(g::text), 30) as text from generate_series(1, 20000) g",
  );
  const before = await project.backUp();
  assert.equal(before.status, "succeeded", before.error_message ?? "");

  await test.step("goes on when Storage answers 500 twice", async () => {
    let failures = 0;
    project.fault = (request) =>
      isUpload(request, /\.dump/) && failures++ < 2 ? storageError(500, "500", "internal") : null;
    const run = await project.backUp();
    project.fault = null;
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(failures >= 2);
    assert.equal(run.attempt, 1);
  });

  await test.step("fails at once when Storage is full, and leaves the older backups", async () => {
    const folders = Object.keys(await project.stored());
    project.fault = (request) =>
      isUpload(request, /\.dump/)
        ? storageError(400, "413", "The object exceeded the maximum allowed size")
        : null;
    const run = await project.backUp();
    project.fault = null;
    assert.deepEqual([run.status, run.error_code], ["failed", "storage_full"]);
    assert.ok(run.error_hint);
    for (const folder of folders) assert.ok((await project.stored())[folder]!.includes("manifest.json"));
  });

  await test.step("goes on with another worker when one is killed in the middle", async () => {
    let killed = false;
    project.fault = async (request) => {
      if (killed || !isUpload(request, /00001\.dump/)) return null;
      killed = true;
      await request.body?.cancel();
      const worker = stack.functions.workers().find(({ state }) => state !== "ended");
      await stack.functions.kill(worker!.id);
      return storageError(500, "500", "the caller is gone");
    };
    const run = await project.backUp();
    project.fault = null;
    assert.ok(killed);
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(
      run.attempt === 2 && run.attempts[0]!.error.code === "snapshot_lost",
      JSON.stringify(run.attempts),
    );
    const folders = await project.stored();
    assert.ok(folders[run.name]!.includes("manifest.json"));
    assert.equal(folders[run.name.replace(/-2$/, "")], undefined, "the first attempt's parts are swept");
  });

  await test.step("fails when a part that is stored is not what was sent, and says which", async () => {
    project.fault = (request) =>
      request.method === "GET" && /backups\/backup-[^/]+\/00001\.dump/.test(request.url)
        ? new Response("not the part", { headers: { "content-type": "application/octet-stream" } })
        : null;
    const run = await project.backUp();
    project.fault = null;
    assert.deepEqual([run.status, run.error_code, run.attempt], ["failed", "verification_failed", 3]);
    assert.match(run.error_message!, /00001\.dump/);
  });

  await test.step("stops when it is cancelled, and leaves no backup", async () => {
    let waiting = true;
    project.fault = async (request) => {
      if (isUpload(request, /00001\.dump/)) {
        await until("it is cancelled", () => Promise.resolve(waiting ? null : true));
      }
      return null;
    };
    const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
    await until("slices are exported", async () => {
      const [found] = await superuser`select from backup.slices where run_id = ${
        row!.id
      } and worker is not null`;
      return found ?? null;
    });
    const [answer] = await sql`select backup.cancel(${row!.id}) as cancelled`;
    waiting = false;
    const run = await project.ended(row!.id);
    project.fault = null;
    assert.equal(answer!["cancelled"], true);
    assert.equal(run.status, "cancelled");
    await until("no session of the function is left", async () => {
      const left =
        await superuser`select from pg_stat_activity where application_name like 'supabase-backup%'`;
      return left.length === 0 ? true : null;
    });
    assert.ok(!(await project.stored())[run.name]?.includes("manifest.json"));
  });

  await test.step("fails, with the way out, when a table is locked for longer than it may wait", async () => {
    await sql`select backup.configure(lock_timeout_ms => 200)`;
    const holder = await superuser.reserve();
    await holder`begin`;
    await holder`lock table public.pages in access exclusive mode`;
    const run = await project.backUp();
    await holder`rollback`;
    holder.release();
    assert.deepEqual([run.status, run.error_code], ["failed", "lock_timeout"]);
    assert.match(run.error_message!, /Cannot lock public\.pages in time/);
    await sql`select backup.configure(lock_timeout_ms => 10000)`;
  });

  await test.step("fails with what the function says when its database login is refused", async () => {
    const [old] = await superuser`select rolpassword from pg_authid where rolname = 'postgres'`;
    await superuser`alter role postgres password 'another'`;
    const [row] = await sql`select backup.start('manual')::int as id`;
    const run = await project.ended(row!["id"]);
    await superuser.unsafe(`alter role postgres password '${old!["rolpassword"]}'`);
    assert.deepEqual([run.status, run.error_code], ["failed", "database_unreachable"]);
    assert.match(run.error_message!, /cannot connect to the database: the login was refused/);
    assert.ok(run.error_hint);
  });

  await test.step("and the next one succeeds again", async () => {
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
  });
});
