/** A restore from the second copy alone: neither the project nor its database is asked. */
import assert from "node:assert/strict";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { contentOf } from "../e2e/restore.ts";
import { BUCKET, KEY, PREFIX, startScene } from "./scene.ts";

const ROOT = new URL("../../", import.meta.url);

interface Outcome {
  code: number;
  out: string;
}

Deno.test("[copies] restore from the second copy", async (t) => {
  await using scene = await startScene();
  const { sql, s3 } = scene;
  await sql.unsafe(`create table public.plays (id int primary key, title text, at timestamptz default now());
    insert into public.plays (id, title) select g, 'play ' || md5(g::text) from generate_series(1, 3000) g`)
    .simple();
  await sql`select backup.configure(part_bytes => 65536, slice_bytes => 190000)`;
  const { run: backup } = await scene.backUpAndCopy();
  const before = await contentOf(scene.stack.superuserUrl, /^(backup|cron|net|storage)\./);
  const target = await startRestoreTarget(scene.stack.superuserUrl);
  const workDir = await Deno.makeTempDir();
  const place = `s3://${BUCKET}/${PREFIX}`;

  const command = async (
    name: string,
    args: string[],
    env: Record<string, string> = {},
  ): Promise<Outcome> => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "cli/main.ts", name, ...args],
      cwd: ROOT,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        HOME: workDir,
        NO_COLOR: "1",
        BACKUP_S3_ENDPOINT: s3.url,
        BACKUP_S3_REGION: "eu-west-9",
        BACKUP_S3_ACCESS_KEY_ID: KEY.accessKeyId,
        BACKUP_S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
        ...env,
      },
    }).output();
    const decoder = new TextDecoder();
    const out = decoder.decode(stdout) + decoder.decode(stderr);
    assert.ok(!out.includes(KEY.secretAccessKey), "the key is a secret");
    return { code, out };
  };

  try {
    await t.step("list and verify see it", async () => {
      const listed = await command("list", ["--from", place]);
      assert.equal(listed.code, 0, listed.out);
      assert.match(listed.out, new RegExp(`${backup.name}.*manual`));
      const verified = await command("verify", ["--from", place]);
      assert.equal(verified.code, 0, verified.out);
      assert.match(verified.out, new RegExp(`${backup.name}: ${backup.parts} parts.*no faults found`));
    });

    await t.step("what is restored is what was there", async () => {
      const args = [
        "--from",
        place,
        "--backup",
        "latest",
        "--target-db-url",
        target.url(RESTORED),
        "--as",
        "plain",
      ];
      const { code, out } = await command("restore", [...args, "--work-dir", workDir]);
      assert.equal(code, 0, out);
      const after = await contentOf(target.url(RESTORED), /^(backup|cron|net|storage)\./);
      assert.deepEqual(after, before);
      assert.match(after["public.plays"]!, /^3000 rows/);
    });

    await t.step("addresses and variables that cannot be used are said", async () => {
      const noKey = await command("list", ["--from", place], { BACKUP_S3_SECRET_ACCESS_KEY: "" });
      assert.deepEqual(
        [noKey.code, /BACKUP_S3_SECRET_ACCESS_KEY is not set/.test(noKey.out)],
        [1, true],
        noKey.out,
      );
      const noBucket = await command("list", ["--from", "s3://"]);
      assert.deepEqual(
        [noBucket.code, /BACKUP_S3_BUCKET is not set/.test(noBucket.out)],
        [1, true],
        noBucket.out,
      );
      const wrongKey = await command("verify", ["--from", place], { BACKUP_S3_SECRET_ACCESS_KEY: "x" });
      assert.deepEqual([wrongKey.code, /SignatureDoesNotMatch/.test(wrongKey.out)], [1, true], wrongKey.out);
      const empty = await command("restore", ["--from", `s3://${BUCKET}/elsewhere`, "--backup", "latest"]);
      assert.deepEqual([empty.code, /no backup/.test(empty.out)], [1, true], empty.out);
    });

    await t.step("a damaged object is found before anything is restored", async () => {
      const object = s3.buckets.get(BUCKET)!.get(`${PREFIX}/${backup.name}/00000.dump`)!;
      object.bytes[100]! ^= 1;
      const verified = await command("verify", ["--from", place]);
      assert.deepEqual(
        [verified.code, /part_damaged .*00000\.dump/.test(verified.out)],
        [1, true],
        verified.out,
      );
      const args = [
        "--from",
        place,
        "--backup",
        backup.name,
        "--target-db-url",
        target.url("postgres"),
        "--as",
        "plain",
      ];
      const { code, out } = await command("restore", [...args, "--work-dir", workDir]);
      assert.deepEqual([code, /00000\.dump differs from the manifest/.test(out)], [1, true], out);
    });
  } finally {
    await target.stop();
    await Deno.remove(workDir, { recursive: true });
  }
});
