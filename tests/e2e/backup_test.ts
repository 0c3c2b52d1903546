/** The main job: pg_cron → pg_net → function → archive → bucket → log → rotation, and the way back. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { THEATRE } from "../theatre.ts";
import { type Project, startProject, until } from "./project.ts";
import { contentOf, joinParts, restore, schemaOf } from "./restore.ts";

/** What goes on changing while, and after, a backup is made. */
const MOVING = /^(backup\.|net\.|cron\.|storage\.)/;

async function expectRestored(project: Project, name: string): Promise<void> {
  const { stack, client } = project;
  const folder = await Deno.makeTempDir();
  const target = await startRestoreTarget(stack.superuserUrl);
  try {
    await joinParts(client, name, `${folder}/archive`);
    await restore(target, `${folder}/archive`);
    assert.deepEqual(
      await contentOf(target.url(RESTORED), MOVING),
      await contentOf(stack.superuserUrl, MOVING),
    );
    assert.equal(
      await schemaOf(target, target.url(RESTORED)),
      await schemaOf(stack.database.cluster, stack.superuserUrl),
    );
  } finally {
    await target.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the weekly backup", async (test) => {
  await using project = await startProject({ load: THEATRE });
  const { sql, superuser, client } = project;

  await test.step("is begun by pg_cron itself, verified, logged, and restores to what was there", async () => {
    await sql`select backup.schedule('* * * * *')`;
    const id = await until("pg_cron has begun a run", async () => {
      const [row] = await sql<{ id: number }[]>`select id::int from backup.log where trigger = 'scheduled'`;
      return row?.id ?? null;
    });
    await sql`select backup.schedule('0 3 * * 0')`;
    const run = await project.ended(id);
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(run.verified_at && run.rows! > 0 && run.tables! > 10 && run.parts! >= 2);
    const stored = (await project.stored())[run.name]!;
    const beside = ["RESTORE.md", "manifest.json", "restore.list", "roles.sql", "storage-inventory.jsonl.gz"];
    assert.deepEqual(stored.filter((name) => !name.endsWith(".dump")), beside);
    assert.equal(stored.length, run.parts! + beside.length);
    await expectRestored(project, run.name);
  });

  await test.step("is begun by hand in SQL, and by the function's key through supabase-js", async () => {
    const bySql = await project.backUp("manual");
    assert.equal(bySql.status, "succeeded", bySql.error_message ?? "");
    const { data, error } = await client.functions.invoke("backup", { body: {} });
    assert.equal(error, null);
    const byKey = await project.ended(data.run_id);
    assert.deepEqual([byKey.status, byKey.trigger], ["succeeded", "manual"]);
  });

  await test.step("keeps the four newest of each trigger, what is pinned, and what is not its own", async () => {
    await superuser`delete from backup.log where removed_at is null and status <> 'succeeded'`;
    const first = await project.backUp("scheduled");
    await sql`select backup.pin(${first.name})`;
    const names: string[] = [];
    for (let turn = 0; turn < 5; turn++) names.push((await project.backUp("scheduled")).name);
    const { error } = await client.storage.from("backups").upload("notes/mine.json", "{}", {
      contentType: "application/json",
    });
    assert.equal(error, null);
    names.push((await project.backUp("scheduled")).name);
    const stored = await project.stored();
    assert.deepEqual(names.map((name) => name in stored), [false, false, true, true, true, true]);
    assert.ok(first.name in stored, "the pinned one");
    assert.ok("notes" in stored, "another's folder");
    const manual = await sql`select name from backup.log where trigger = 'manual' and removed_at is null`;
    for (const { name } of manual) assert.ok(name in stored, "manual ones are counted apart");
    const removed = await sql`select name from backup.log where removed_at is not null order by id`;
    assert.ok(removed.some(({ name }) => name === names[0]));
  });
});

Deno.test("a database that one invocation cannot take", async (test) => {
  // Slices of 256 KiB and three of them an invocation: what a large database is under the hosted limits.
  await using project = await startProject();
  const { sql, stack } = project;
  await sql.unsafe(`
    create table public.accounts (id int primary key, balance bigint not null);
    insert into public.accounts select g, 1000 from generate_series(1, 500) g;
    create table public.transfers (id bigint generated always as identity primary key,
      source int not null references public.accounts, target int not null references public.accounts, amount bigint not null);
    create table public.pages as select g as id, repeat(md5(g::text), 30) as text from generate_series(1, 12000) g;
    create table public.documents as select g as id, repeat('theatre ' || g, 30000) as text from generate_series(1, 20) g;
  `);
  await sql`select backup.configure(slice_bytes => 1048576, part_bytes => 400000, invocation_bytes => 3000000)`;

  await test.step("is backed up by several, all of which see one instant, while money is moved", async () => {
    let moving = true;
    const moves = Array.from({ length: 2 }, async (_, clerk) => {
      const teller = postgres(stack.superuserUrl, { max: 1 });
      for (let turn = 0; moving; turn++) {
        const [source, target] = [1 + (turn * 7 + clerk) % 500, 1 + (turn * 13 + clerk * 3) % 500];
        await teller`begin`;
        await teller`update public.accounts set balance = balance - 5 where id = ${Math.min(source, target)}`;
        await teller`update public.accounts set balance = balance + 5 where id = ${Math.max(source, target)}`;
        await teller`insert into public.transfers (source, target, amount) values (${source}, ${target}, 5)`;
        await teller`commit`;
        // Money moves all the time, and leaves the processors to the backup.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await teller.end();
    });
    const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
    const run = await until("the run has ended", async () => {
      const now = await project.run(row!.id);
      return now.finished_at === null ? null : now;
    }).finally(() => moving = false);
    await Promise.all(moves);
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(run.invocations >= 5, `${run.invocations} invocations`);
    assert.equal(run.attempt, 1);

    const folder = await Deno.makeTempDir();
    const target = await startRestoreTarget(stack.superuserUrl);
    try {
      await joinParts(project.client, run.name, `${folder}/archive`);
      await restore(target, `${folder}/archive`, "-j", "2");
      const content = await contentOf(target.url(RESTORED), MOVING);
      const source = await contentOf(stack.superuserUrl, MOVING);
      for (const table of ["public.pages", "public.documents"]) assert.equal(content[table], source[table]);
      const sums = await totals(target.url(RESTORED));
      assert.deepEqual(sums, { total: "500000", unequal: "0" });
    } finally {
      await target.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });

  await test.step("within the limits of an Edge Function, each time", () => {
    for (const { cpuMs, peakMemoryBytes } of stack.functions.workers()) {
      assert.ok(cpuMs < 2000, `${cpuMs} ms of CPU`);
      assert.ok(peakMemoryBytes < 256 * 1024 * 1024, `${peakMemoryBytes} bytes of memory`);
    }
  });
});

/** Money is neither made nor lost, and each account has what its transfers say. */
async function totals(url: string): Promise<Record<string, unknown>> {
  const sql = postgres(url, { max: 1 });
  const [row] = await sql`
    select sum(balance)::text as total, count(*) filter (where balance <> 1000 + moved)::text as unequal
    from public.accounts a, lateral (
      select coalesce(sum(case when greatest(source, target) = a.id then amount else 0 end
        - case when least(source, target) = a.id then amount else 0 end), 0) as moved
      from public.transfers t where a.id in (t.source, t.target)
    ) moves`;
  await sql.end();
  return row!;
}
