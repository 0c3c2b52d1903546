/**
 * Storage's files in the second bucket: copied when they are new or have changed, removed when no backup is as old, and
 * put back.
 */
import assert from "node:assert/strict";
import { BUCKET, KEY, PREFIX, startScene } from "./scene.ts";

const FILES: [bucket: string, name: string, type: string, text: string][] = [
  ["photos", "cat.png", "image/png", "meow"],
  ["photos", "a b/what? & (1)+2.txt", "text/plain;charset=UTF-8", "odd"],
  ["documents", "it's; ok=1@home.pdf", "application/pdf", "x".repeat(70_000)],
];

const encoded = (name: string) => name.split("/").map(encodeURIComponent).join("/");

Deno.test("[copies] Storage's files", async (t) => {
  await using scene = await startScene();
  const { sql, superuser, client, s3 } = scene;
  const there = () => {
    const found: Record<string, string> = {};
    for (const [key, { bytes }] of s3.buckets.get(BUCKET)!) {
      if (key.startsWith(`${PREFIX}/files/`)) {
        found[key.slice(`${PREFIX}/files/`.length)] = new TextDecoder().decode(bytes);
      }
    }
    return found;
  };
  const upload = async (bucket: string, name: string, contentType: string, text: string) => {
    const body = new TextEncoder().encode(text);
    const { error } = await client.storage.from(bucket).upload(encoded(name), body, {
      contentType,
      upsert: true,
    });
    assert.equal(error, null, name);
  };
  const backedUp = async () => {
    const run = await scene.backUp();
    assert.equal(run.status, "succeeded");
    return await scene.copyOf(run.name, "has its files", (copy) => copy.files_at !== null);
  };
  const puts = () =>
    s3.requests.filter(({ method, key }) => method === "PUT" && key.includes("/files/")).length;

  await sql`select backup.configure(second_copy => 's3_with_files', keep_manual => 1)`;
  for (const bucket of ["photos", "documents"]) {
    assert.equal((await client.storage.createBucket(bucket)).error, null);
  }
  for (const file of FILES) await upload(...file);

  await t.step("are copied after the backup, with their types, whatever their names", async () => {
    const copy = await backedUp();
    assert.equal(copy.files_left, 0);
    assert.deepEqual(
      there(),
      Object.fromEntries(FILES.map(([bucket, name, , text]) => [`${bucket}/${name}`, text])),
    );
    for (const [bucket, name, type] of FILES) {
      assert.equal(s3.buckets.get(BUCKET)!.get(`${PREFIX}/files/${bucket}/${name}`)!.contentType, type);
    }
  });

  await t.step(
    "only those that are new or have changed are sent again; one that is gone stays for now",
    async () => {
      const before = puts();
      await upload("photos", "cat.png", "image/png", "purr");
      await upload("photos", "dog.png", "image/png", "woof");
      assert.equal((await client.storage.from("documents").remove(["it's; ok=1@home.pdf"])).error, null);
      await backedUp();
      assert.equal(puts() - before, 2);
      assert.deepEqual([there()["photos/cat.png"], there()["photos/dog.png"]], ["purr", "woof"]);
      assert.ok(
        there()["documents/it's; ok=1@home.pdf"] !== undefined,
        "the backup before it may be restored",
      );
    },
  );

  await t.step("what no backup has any more is removed there", async () => {
    await backedUp();
    await scene.copyOf((await scene.run(2)).name, "is removed", ({ removed_at }) => removed_at !== null);
    await sql`select backup.copy()`;
    await scene.copyOf((await scene.run(3)).name, "has its files", (copy) => copy.files_at !== null);
    assert.deepEqual(Object.keys(there()).sort(), [
      "photos/a b/what? & (1)+2.txt",
      "photos/cat.png",
      "photos/dog.png",
    ]);
  });

  await t.step(
    "one that Storage does not have, and one that is too large, hinder no other and are counted",
    async () => {
      await superuser`
      insert into storage.objects (bucket_id, name, version, metadata) values
        ('photos', 'a ghost.png', gen_random_uuid()::text, '{"size": 4, "mimetype": "image/png"}'),
        ('photos', 'up/../down.png', gen_random_uuid()::text, '{"size": 4, "mimetype": "image/png"}'),
        ('photos', 'film.mp4', gen_random_uuid()::text, '{"size": 60000000, "mimetype": "video/mp4"}')`;
      await upload("photos", "zebra.png", "image/png", "stripes");
      const copy = await backedUp();
      assert.equal(there()["photos/zebra.png"], "stripes");
      assert.equal(copy.files_left, 3);
      const noted =
        await sql`select name, error from backup.copied_files where error is not null order by name`;
      assert.deepEqual(noted.map(({ name }) => name), ["a ghost.png", "up/../down.png"]);
      assert.match(noted[0]!["error"], /Cannot read/);
      assert.match(noted[1]!["error"], /cannot have an object of this name/);
      assert.equal((await scene.reasons()).files_left, "info");
      // Storage itself would not empty a bucket with such a name.
      await superuser.begin(async (sql) => {
        await sql`set local storage.allow_delete_query = 'true'`;
        await sql`delete from storage.objects where name = 'up/../down.png'`;
      });
    },
  );

  await t.step(
    "while the second bucket fails nothing is lost, and what arrived is not sent again",
    async () => {
      let sent = 0;
      scene.fault = ({ method, url }) => {
        if (method !== "PUT" || !url.includes("/files/")) return null;
        return ++sent > 1 ? new Response(null, { status: 503 }) : null;
      };
      for (const name of ["m1", "m2", "m3"]) await upload("photos", name, "text/plain", name);
      const run = await scene.backUp();
      await scene.copyOf(run.name, "has failed", ({ failures }) => failures > 0);
      scene.fault = null;
      const before = puts();
      await sql`update backup.copies set retry_at = now() where retry_at is not null`;
      await scene.copyOf(run.name, "has its files", (copy) => copy.files_at !== null);
      assert.equal(puts() - before, 2);
    },
  );

  await t.step("are put back by one command", async () => {
    const wanted = Object.entries(there());
    for (const bucket of ["photos", "documents"]) {
      assert.equal((await client.storage.emptyBucket(bucket)).error, null);
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "cli/main.ts", "files", "--from", `s3://${BUCKET}/${PREFIX}`],
      cwd: new URL("../../", import.meta.url),
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        HOME: "/tmp",
        NO_COLOR: "1",
        SUPABASE_URL: scene.stack.apiUrl,
        SUPABASE_SECRET_KEY: scene.stack.keys.secretKey,
        BACKUP_S3_ENDPOINT: s3.url,
        BACKUP_S3_REGION: "eu-west-9",
        BACKUP_S3_ACCESS_KEY_ID: KEY.accessKeyId,
        BACKUP_S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 1, said);
    assert.match(said, /not restored: photos\/a ghost\.png is not in the second copy/);
    assert.match(said, /not restored: photos\/film\.mp4 is not in the second copy/);
    for (const [key, text] of wanted) {
      const [, bucket, name] = /^([^/]+)\/(.*)$/.exec(key)!;
      const { data, error } = await client.storage.from(bucket!).download(encoded(name!));
      assert.equal(error, null, key);
      assert.equal(await data!.text(), text);
    }
    const { data } = await client.storage.from("photos").info("cat.png");
    assert.equal(data!.contentType, "image/png");
  });
});
