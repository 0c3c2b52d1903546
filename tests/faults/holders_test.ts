/** Those who hold the snapshot: all of them die, one that was taken for dead goes on, the database itself goes away. */
import assert from "node:assert/strict";
import { until } from "../e2e/project.ts";
import { contentNow, expectTidy, startRestores } from "./outcome.ts";
import { record } from "./results.ts";
import { outliveLostSessions, startScene, within } from "./scene.ts";

/** The first numbers are the head's. */
const PART = /^POST .*\/000(1[7-9]|[2-9]\d)\.dump/;

Deno.test("the holders of the snapshot", async (test) => {
  using _sessions = outliveLostSessions();
  await using scene = await startScene();
  const { sql, superuser, stack } = scene;
  await sql.unsafe(`
    create table public.noise as
    select g as id, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n) as text from generate_series(1, 2500) g`);
  const content = await contentNow(scene);
  await using restores = await startRestores(scene);
  await sql`select backup.configure(workers => 3, slice_bytes => 500000, part_bytes => 170000, invocation_bytes => 2000000)`;
  const older = await scene.backUp();
  assert.equal(older.status, "succeeded", older.error_message ?? "");

  const killAll = async () => {
    const living = stack.functions.workers().filter(({ state }) => state !== "ended");
    await Promise.all(living.map(({ id }) => stack.functions.kill(id)));
    return living.length;
  };
  /** Lets several workers come to where they store a part, and kills all of them. */
  const killAllAtWork = async () => {
    const hold = scene.holdRequests(PART);
    await within("a part is on its way", hold.held);
    await until("three workers have claimed slices", async () => {
      const [row] = await superuser<{ workers: number }[]>`
        select count(distinct s.worker)::int as workers from backup.slices s join backup.live_workers w on w.id = s.worker
        where s.finished_at is null`;
      return row!.workers >= 3 ? true : null;
    });
    assert.ok(await killAll() >= 3);
    hold.release(false);
  };

  await test.step("all die at once: the run starts over with another snapshot", async ({ name }) => {
    const id = await scene.start();
    await killAllAtWork();
    const run = await scene.over(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run.attempts));
    assert.equal(run.attempts[0]!.error.code, "snapshot_lost");
    assert.deepEqual(await restores.restored(run.name), content);
    await expectTidy(scene);
    record(import.meta.url, name, run, { workers: 3, then: "restored equal, nothing left over" });
  });

  await test.step("all die in three attempts: the run fails, and the older backups stay", async ({ name: title }) => {
    const before = await scene.stored();
    const id = await scene.start();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(`attempt ${attempt} exports`, async () => {
        await sql`select backup.watch()`;
        const [row] = await sql`
          select from backup.log l join backup.plans p on p.run_id = l.id where l.id = ${id} and l.attempt = ${attempt}`;
        return row ?? null;
      });
      await killAllAtWork();
    }
    const run = await scene.over(id);
    assert.deepEqual([run.status, run.error_code, run.attempt], ["failed", "snapshot_lost", 3]);
    assert.ok(run.error_hint);
    const [health] = await sql`select verdict, reasons::text from backup.health`;
    assert.equal(health!["verdict"], "failing");
    assert.match(health!["reasons"], /"run_failed"/);
    const after = await scene.stored();
    for (const name of Object.keys(before)) assert.deepEqual(after[name], before[name]);
    const next = await scene.backUp();
    assert.equal(next.status, "succeeded", next.error_message ?? "");
    await expectTidy(scene);
    record(import.meta.url, title, run, {
      workers: 3,
      alarms: ["run_failed"],
      then: "the older backups are as they were, the next run succeeded",
    });
  });

  for (const when of ["while another is at its slice", "when the run is over"]) {
    await test.step(`a worker that was taken for dead goes on ${when}, and does no harm`, async ({ name }) => {
      await sql`select backup.configure(workers => 1, lease_seconds => 4)`;
      scene.uploads.length = 0;
      const id = await scene.start();
      let undead = 0;
      await scene.holdVerb("claim", async (backend) => {
        undead = (await scene.processOf(backend)).pid;
        Deno.kill(undead, "SIGSTOP");
      });
      if (when === "while another is at its slice") {
        const watching = setInterval(() => sql`select backup.watch()`.catch(() => {}), 500);
        await scene.holdVerb("take_over", async () => {
          clearInterval(watching);
          Deno.kill(undead, "SIGCONT");
          await until("the one that was taken for dead tells of itself", async () => {
            const [row] = await superuser`
              select from pg_stat_activity
              where application_name = 'supabase-backup control' and wait_event_type = 'Lock' and wait_event <> 'advisory'`;
            return row ?? null;
          });
        });
      }
      const run = await scene.over(id);
      if (when === "when the run is over") Deno.kill(undead, "SIGCONT");
      assert.deepEqual([run.status, run.attempt], ["succeeded", 1], JSON.stringify(run.attempts));
      await until(
        "the worker's process has ended",
        () =>
          Promise.resolve(stack.functions.workers().every(({ state }) => state === "ended") ? true : null),
      );
      assert.deepEqual(
        scene.uploads.toSorted(),
        [...new Set(scene.uploads)].sort(),
        "nothing was stored twice",
      );
      assert.deepEqual(await restores.restored(run.name), content);
      await expectTidy(scene);
      record(import.meta.url, name, run, { workers: 1, then: "restored equal, nothing was stored twice" });
    });
  }

  await test.step("the database restarts: the run starts over", async ({ name }) => {
    await sql`select backup.configure(workers => 3, lease_seconds => 60)`;
    const id = await scene.start();
    const hold = scene.holdRequests(PART);
    await within("a part is on its way", hold.held);
    const [holder] = await superuser`
      select w.backend_pid as pid from backup.workers w join backup.live_workers l on l.id = w.id
      where l.held_at is not null and l.working limit 1`;
    // The server ends all sessions and recovers, as after any crash of one of its processes.
    Deno.kill(holder!["pid"], "SIGKILL");
    hold.release(false);
    const run = await scene.over(id);
    assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run.attempts));
    assert.deepEqual(await restores.restored(run.name), content);
    await expectTidy(scene);
    record(import.meta.url, name, run, { workers: 3, then: "restored equal, nothing left over" });
  });
});
