/** The inventory of Storage's files in a backup, and files that are not there. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { readManifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { type Project, startProject } from "../e2e/project.ts";

const FILES = [
  ["photos", "cat.png", "image/png", "meow"],
  ["photos", "a b/what? & (1)+2.txt", "text/plain", "odd"],
  ["photos", "it's; ok=1@home.txt", "text/plain", "odder"],
  ["documents", "2026/contract.pdf", "application/pdf", "x".repeat(5000)],
] as const;

async function stored(project: Project, path: string): Promise<Uint8Array> {
  const { data, error } = await project.client.storage.from("backups").download(path);
  if (error) throw error;
  return new Uint8Array(await data.arrayBuffer());
}

async function gunzipped(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const child = new Deno.Command("gzip", { args: ["-dc"], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const [{ stdout }] = await Promise.all([child.output(), writer.write(bytes).then(() => writer.close())]);
  const text = new TextDecoder().decode(stdout);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("[inventory] Storage's files", async (t) => {
  await using project = await startProject({ migrate: "directly" });
  const { sql, superuser, client } = project;
  const inventoryOf = async (name: string) => {
    const { inventory } = readManifest(await stored(project, `${name}/manifest.json`));
    return { inventory: inventory!, bytes: await stored(project, `${name}/${inventory!.name}`) };
  };

  const forgetMany = () =>
    superuser.begin(async (sql) => {
      await sql`set local storage.allow_delete_query = 'true'`;
      await sql`delete from storage.objects where name like 'many/%'`;
    });

  await t.step("a project without files has an inventory of none", async () => {
    const { name, warnings } = await project.backUp();
    const { inventory, bytes } = await inventoryOf(name);
    assert.deepEqual([inventory.objects, inventory.complete], [0, true]);
    assert.deepEqual(await gunzipped(bytes), []);
    assert.deepEqual(warnings, []);
  });

  for (const bucket of ["photos", "documents"]) {
    assert.equal((await client.storage.createBucket(bucket)).error, null);
  }
  for (const [bucket, name, contentType, text] of FILES) {
    const path = name.split("/").map(encodeURIComponent).join("/");
    const { error } = await client.storage.from(bucket).upload(path, new Blob([text]), { contentType });
    assert.equal(error, null, name);
  }

  await t.step(
    "each file has its line: bucket, name, size, checksum, type; the backups' own have none",
    async () => {
      const { name, warnings } = await project.backUp();
      assert.deepEqual(warnings, []);
      const { inventory, bytes } = await inventoryOf(name);
      assert.equal(inventory.name, "storage-inventory.jsonl.gz");
      assert.deepEqual(
        [inventory.objects, inventory.complete, inventory.bytes, inventory.sha256],
        [FILES.length, true, bytes.length, createHash("sha256").update(bytes).digest("hex")],
      );
      const rows = await superuser<
        { bucket: string; name: string; size: number; etag: string; type: string }[]
      >`
      select bucket_id as bucket, name, (metadata ->> 'size')::int as size, metadata ->> 'eTag' as etag, metadata ->> 'mimetype' as type
      from storage.objects where bucket_id <> 'backups' order by bucket_id, name collate "C"`;
      const lines = await gunzipped(bytes);
      assert.deepEqual(
        lines.map(({ bucket, name, size, etag, type }) => ({ bucket, name, size, etag, type })),
        [...rows],
      );
      assert.deepEqual(new Set(lines.map(({ name }) => name)), new Set(FILES.map(([, name]) => name)));
      assert.deepEqual(lines.map(({ size }) => size).sort(), [3, 4, 5, 5000].sort());
      assert.ok(
        lines.every(({ version, updated_at: at }) => version !== undefined && typeof at === "string"),
      );
    },
  );

  await t.step("many blocks are one file", async () => {
    await superuser`
      insert into storage.objects (bucket_id, name, metadata)
      select 'documents', 'many/' || repeat('n', 200) || g, null from generate_series(1, 6000) g`;
    const { name } = await project.backUp();
    const { inventory, bytes } = await inventoryOf(name);
    const lines = await gunzipped(bytes);
    assert.deepEqual([inventory.objects, lines.length], [6000 + FILES.length, 6000 + FILES.length]);
    await forgetMany();
  });

  await t.step("a budget that is not enough for all lists the first ones, and says so", async () => {
    await superuser`
      insert into storage.objects (bucket_id, name, metadata) select 'documents', 'many/' || g, null from generate_series(1, 1500) g`;
    await sql`select backup.configure(invocation_bytes => 1500000, slice_bytes => 1000000)`;
    const { name, warnings } = await project.backUp();
    const { inventory } = await inventoryOf(name);
    assert.deepEqual([inventory.objects, inventory.complete], [1001, false]);
    assert.deepEqual(warnings.map(({ code }) => code), ["inventory_cut"]);
    await sql`select backup.configure(invocation_bytes => 80000000, slice_bytes => 32000000)`;
    await forgetMany();
  });

  await t.step("where a backup is encrypted its inventory is, too: names of files say much", async () => {
    const identity = await generateIdentity();
    await sql`select backup.configure(recipient => ${await identityToRecipient(identity)})`;
    const { name, warnings } = await project.backUp();
    assert.deepEqual(warnings, []);
    const { inventory, bytes } = await inventoryOf(name);
    assert.equal(inventory.name, "storage-inventory.jsonl.gz.age");
    assert.equal(inventory.sha256, createHash("sha256").update(bytes).digest("hex"));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    assert.equal((await gunzipped(await decrypter.decrypt(bytes))).length, FILES.length);
    await sql`select backup.configure(recipient => '')`;
  });

  await t.step("a row whose file is gone is told", async () => {
    await superuser`
      insert into storage.objects (bucket_id, name, version, metadata)
      values ('photos', 'ghost & co.png', gen_random_uuid()::text, '{"size": 4, "mimetype": "image/png"}')`;
    // The sample goes by the planner's count, which autovacuum may have taken when there were a thousand.
    await superuser`analyze storage.objects`;
    const { status, warnings } = await project.backUp();
    assert.equal(status, "succeeded");
    assert.deepEqual(warnings.map(({ code }) => code), ["file_missing"]);
    assert.match(warnings[0]!.message, /^1 of 5 files .*: photos\/ghost & co\.png$/);
  });
});
