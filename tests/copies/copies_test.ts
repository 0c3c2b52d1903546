/**
 * Backups and their second copies, end to end: what arrives, what goes, and what happens when the second bucket does
 * not take it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { until } from "../e2e/project.ts";
import { BUCKET, KEY, PREFIX, type Scene, startScene } from "./scene.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Rows that compress badly, so that a small project has several parts. */
const ROWS = `create table public.noise (id int primary key, text text);
  insert into public.noise select g, string_agg(md5(g::text || i), '') from generate_series(1, 250) g, generate_series(1, 40) i group by g`;

async function original(scene: Scene, path: string): Promise<Uint8Array> {
  const { data, error } = await scene.client.storage.from("backups").download(path);
  if (error) throw error;
  return new Uint8Array(await data.arrayBuffer());
}

Deno.test("[copies] second copies", async (t) => {
  await using scene = await startScene();
  const { sql, s3 } = scene;
  const stored = () => s3.buckets.get(BUCKET)!;
  await sql.unsafe(ROWS).simple();
  const parts = async (small: boolean) => {
    const [part, slice] = small ? [131_072, 390_000] : [41_943_040, 32_000_000];
    await sql`select backup.configure(part_bytes => ${part!}, slice_bytes => ${slice!}, workers => 1)`;
  };
  await sql`select backup.configure(keep_manual => 2, second_copy => 'none')`;

  await t.step("a backup is copied whole, by several invocations, its manifest last", async () => {
    await parts(true);
    const run = await scene.backUp();
    await parts(false);
    await sql`select backup.configure(second_copy => 's3', invocation_bytes => 2800000)`;
    await sql`select backup.copy()`;
    const copy = await scene.copyOf(run.name, "is whole", ({ verified_at }) => verified_at !== null);
    await sql`select backup.configure(invocation_bytes => 80000000)`;
    assert.ok(run.parts! > 4, `${run.parts} parts`);
    const here = (await scene.stored())[run.name]!;
    const there = scene.inSecond()[run.name]!;
    assert.deepEqual([...there].sort(), here);
    assert.equal(there.at(-1), "manifest.json");
    let bytes = 0;
    for (const name of here) {
      const object = stored().get(`${PREFIX}/${run.name}/${name}`)!;
      assert.deepEqual(object.bytes, await original(scene, `${run.name}/${name}`));
      assert.equal(object.meta["x-amz-meta-sha256"], sha256(object.bytes));
      bytes += object.bytes.length;
    }
    assert.deepEqual([copy.objects, copy.bytes, copy.error], [here.length, bytes, null]);
    const invocations = scene.logged.filter((line) => line.includes("copies: copy"));
    assert.equal(invocations.length, 1);
    const [calls] = await sql<
      { number: number }[]
    >`select count(*)::int as number from backup.calls where purpose = 'copy'`;
    assert.ok(calls!.number > 1, "the budget of one invocation was not enough");
    const [job] = await sql`select from cron.job where jobname = 'backup-watch'`;
    assert.equal(job, undefined, "the watch-dog sleeps when nothing is due");
    assert.deepEqual(Object.keys(await scene.reasons()).filter((code) => code.startsWith("cop")), []);
  });

  await t.step("what arrived is not sent twice", async () => {
    const [newest] = (await scene.copies()).slice(-1);
    const sent = s3.requests.length;
    await sql`delete from backup.copies`;
    await sql`select backup.copy()`;
    await scene.copyOf(newest!.name, "is known again", ({ verified_at }) => verified_at !== null);
    const again = s3.requests.slice(sent).filter(({ method }) => method === "PUT").map(({ key }) => key);
    // What lies beside the parts has its checksum in no manifest.
    assert.ok(again.every((key) => !/\.dump$|manifest\.json$/.test(key)), again.join());
  });

  await t.step("an object that vanished or changed there is copied again", async () => {
    const [copy] = (await scene.copies()).slice(-1);
    const key = `${PREFIX}/${copy!.name}/00000.dump`;
    const whole = stored().get(key)!.bytes;
    stored().delete(key);
    stored().get(`${PREFIX}/${copy!.name}/manifest.json`)!.bytes = new Uint8Array(3);
    await sql`select backup.copy()`;
    await scene.copyOf(
      copy!.name,
      "is whole again",
      ({ verified_at }) => verified_at !== null && stored().get(key)?.bytes.length === whole.length,
    );
    assert.deepEqual(stored().get(key)!.bytes, whole);
    assert.deepEqual(
      sha256(stored().get(`${PREFIX}/${copy!.name}/manifest.json`)!.bytes),
      sha256(await original(scene, `${copy!.name}/manifest.json`)),
    );
  });

  await t.step("while the second bucket is down backups succeed, and health tells", async () => {
    scene.fault = () => new Response("<Error><Code>InternalError</Code></Error>", { status: 500 });
    const run = await scene.backUp();
    assert.equal(run.status, "succeeded");
    const failed = await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
    assert.match(
      failed.error!.message,
      /Cannot list the second bucket: InternalError \(500\), 2 times in a row/,
    );
    assert.equal((await scene.reasons()).copy_failed, undefined, "once is no cause for alarm");
    await sql`update backup.copies set failures = 3 where verified_at is null`;
    assert.equal((await scene.reasons()).copy_failed, "warning");
    scene.fault = null;
    // The time until the next try is over.
    await sql`update backup.copies set retry_at = now() where retry_at is not null`;
    await scene.copyOf(
      run.name,
      "is whole",
      ({ verified_at, failures }) => verified_at !== null && failures === 0,
    );
    assert.equal((await scene.reasons()).copy_failed, undefined);
  });

  await t.step("a cut in the middle costs nothing that has arrived", async () => {
    let sent = 0;
    scene.fault = ({ method, url }) => {
      if (method !== "PUT" || !url.includes(".dump")) return null;
      return ++sent > 2 ? new Response(null, { status: 503 }) : null;
    };
    await parts(true);
    const run = await scene.backUp();
    await parts(false);
    const failed = await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
    assert.equal(failed.verified_at, null);
    assert.ok(
      !scene.inSecond()[run.name]!.includes("manifest.json"),
      "without a manifest nobody takes it for a backup",
    );
    scene.fault = null;
    const before = s3.requests.length;
    await sql`update backup.copies set retry_at = now() where retry_at is not null`;
    await scene.copyOf(run.name, "is whole", ({ verified_at }) => verified_at !== null);
    const puts = s3.requests.slice(before).filter(({ method, key }) =>
      method === "PUT" && key.endsWith(".dump")
    );
    assert.equal(puts.length, run.parts! - 2);
  });

  await t.step("what rotation removed here is removed there", async () => {
    assert.notEqual((await scene.run(1)).removed_at, null, "two backups are kept");
    await scene.backUpAndCopy();
    const here = Object.keys(await scene.stored()).sort();
    assert.equal(here.length, 2);
    await until("they are the same there", async () => {
      await sql`select backup.watch()`;
      return Object.keys(scene.inSecond()).sort().join() === here.join() ? true : null;
    });
    // The copier records it when the objects are gone.
    const gone = await until("they are recorded as removed", async () => {
      const removed = (await scene.copies()).filter(({ removed_at }) => removed_at !== null);
      return removed.length >= 2 ? removed : null;
    });
    assert.ok(gone.every(({ name }) => !here.includes(name)));
  });

  await t.step("no copy is removed while those that should take its place are not whole", async () => {
    scene.fault = ({ method }) => method === "PUT" ? new Response(null, { status: 503 }) : null;
    const copied = Object.keys(scene.inSecond()).sort();
    for (let i = 0; i < 2; i++) {
      const { name } = await scene.backUp();
      await scene.copyOf(name, "has failed", ({ failures }) => failures > 0);
    }
    assert.ok(Object.keys(await scene.stored()).every((name) => !copied.includes(name)));
    for (const name of copied) assert.ok(scene.inSecond()[name]!.includes("manifest.json"));
    scene.fault = null;
    await sql`select backup.copy()`;
    await until("the new ones have taken their places", async () => {
      await sql`select backup.watch()`;
      const there = Object.keys(scene.inSecond()).sort().join();
      return there === Object.keys(await scene.stored()).sort().join() ? true : null;
    });
  });

  await t.step("no secret is in the log of the function, in the database or in an answer", async () => {
    const tables = await sql<{ text: string }[]>`
      select (select string_agg(to_jsonb(c)::text, '') from backup.copies c)
        || (select string_agg(to_jsonb(l)::text, '') from backup.log l)
        || (select coalesce(string_agg(to_jsonb(r)::text, ''), '') from net._http_response r) as text`;
    const all = [...scene.logged, tables[0]!.text].join("\n");
    assert.ok(all.length > 1000);
    assert.ok(!all.includes(KEY.secretAccessKey) && !all.includes(KEY.accessKeyId));
  });
});

Deno.test("[copies] refusals", async (t) => {
  await using scene = await startScene();
  const { sql } = scene;
  const retry = () => sql`select backup.copy()`;

  await t.step("a wrong key is told at once, and tried once a day", async () => {
    scene.s3.keys[0] = { ...KEY, secretAccessKey: "another" };
    const run = await scene.backUp();
    assert.equal(run.status, "succeeded");
    const { error } = await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
    assert.match(error!.message, /SignatureDoesNotMatch/);
    assert.match(error!.hint, /BACKUP_S3_SECRET_ACCESS_KEY/);
    assert.equal((await scene.reasons()).copy_failed, "warning");
    const [job] = await sql`select from cron.job where jobname = 'backup-watch'`;
    assert.equal(job, undefined, "nobody asks every minute what stays wrong");
    scene.s3.keys[0] = KEY;
    await retry();
    await scene.copyOf(run.name, "is whole", ({ verified_at }) => verified_at !== null);
  });

  await t.step("a key that may not remove keeps copying, and health says what is kept", async () => {
    scene.s3.keys[0] = { ...KEY, may: ["put", "get", "list"] };
    await sql`select backup.configure(keep_manual => 1)`;
    const [first] = await scene.copies();
    await scene.backUpAndCopy();
    const kept = await scene.copyOf(first!.name, "Cannot remove", ({ failures }) => failures > 0);
    assert.match(kept.error!.message, /Cannot remove.*AccessDenied/);
    assert.deepEqual([(await scene.reasons()).copies_kept, (await scene.reasons()).copy_failed], [
      "info",
      undefined,
    ]);
    scene.s3.keys[0] = KEY;
    await retry();
    await scene.copyOf(first!.name, "is removed", ({ removed_at }) => removed_at !== null);
  });

  await t.step("an invocation that is killed while it copies is told, and the next one goes on", async () => {
    const held: (() => void)[] = [];
    scene.fault = ({ method }) =>
      method === "PUT" ? new Promise((resolve) => held.push(() => resolve(null))) : null;
    const run = await scene.backUp();
    await until("copying is under way", () => Promise.resolve(held.length > 0 ? true : null));
    const { functions } = scene.stack;
    for (const { id, ended } of functions.workers()) if (ended === null) await functions.kill(id);
    scene.fault = null;
    held.forEach((release) => release());
    const { error } = await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
    assert.equal(error!.code, "worker_died");
    await retry();
    await scene.copyOf(
      run.name,
      "is whole",
      ({ verified_at, failures }) => verified_at !== null && failures === 0,
    );
  });

  await t.step("a backup that is damaged here is not copied, and said so", async () => {
    scene.fault = () => new Response(null, { status: 503 });
    const run = await scene.backUp();
    await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
    const bytes = await original(scene, `${run.name}/00000.dump`);
    bytes[bytes.length - 1]! ^= 1;
    const { error } = await scene.client.storage.from("backups").upload(`${run.name}/00000.dump`, bytes, {
      upsert: true,
      contentType: "application/octet-stream",
    });
    assert.equal(error, null);
    scene.fault = null;
    await retry();
    const copy = await scene.copyOf(
      run.name,
      "is refused",
      ({ error }) => error?.code === "verification_failed",
    );
    assert.match(copy.error!.message, /damaged in the project's bucket: 00000\.dump has the SHA-256/);
    assert.ok(!scene.inSecond()[run.name]?.includes("manifest.json"));
  });

  await t.step("strangers cannot have anything copied", async () => {
    for (const token of ["copy-guess", "copy-"]) {
      const answer = await fetch(`${scene.stack.apiUrl}/functions/v1/backup`, {
        method: "POST",
        headers: { "x-backup-token": token },
        body: "{}",
      });
      assert.equal(answer.status, 401);
      await answer.body?.cancel();
    }
  });
});

Deno.test("[copies] secrets that are missing are said, and nothing of a run depends on them", async () => {
  await using scene = await startScene({ secrets: { BACKUP_S3_SECRET_ACCESS_KEY: "" } });
  const run = await scene.backUp();
  assert.equal(run.status, "succeeded");
  const { error } = await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
  assert.equal(error!.code, "not_configured");
  assert.match(error!.message, /BACKUP_S3_SECRET_ACCESS_KEY is not set/);
  assert.deepEqual(scene.s3.requests, []);
  await scene.sql`select backup.configure(second_copy => 'none')`;
  assert.equal((await scene.reasons()).one_copy, "info");
});

Deno.test("[copies] a run interrupts the copying, which goes on afterwards", async () => {
  await using scene = await startScene();
  const held: (() => void)[] = [];
  scene.fault = ({ method }) =>
    method === "PUT" ? new Promise((resolve) => held.push(() => resolve(null))) : null;
  try {
    const first = await scene.backUp();
    await until("copying is under way", () => Promise.resolve(held.length > 0 ? true : null));
    // In the same isolate, which has done little so far.
    const second = await scene.backUp();
    assert.deepEqual([second.status, second.attempt], ["succeeded", 1]);
    assert.ok(scene.logged.some((line) => line.includes("the isolate is needed for a backup")));
    scene.fault = null;
    held.forEach((release) => release());
    for (const { name } of [first, second]) {
      const { failures } = await scene.copyOf(name, "is whole", ({ verified_at }) => verified_at !== null);
      assert.equal(failures, 0, "an interruption is not a failure");
    }
  } finally {
    held.forEach((release) => release());
  }
});
