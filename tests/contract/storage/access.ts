/** Who may do what with a private bucket, by the key that comes with the request and by the policies on the tables. */
import assert from "node:assert/strict";
import { type Facts, needing, type Role, type StorageProject } from "./project.ts";
import { assertClientRefused, assertRefused } from "./refusals.ts";

const TEXT = { contentType: "text/plain" };

async function hello(project: StorageProject): Promise<string> {
  const bucket = await project.bucket();
  await project.client().from(bucket).upload("a", "hello", TEXT);
  return bucket;
}

/** Runs `work` under a policy on storage.objects, which is gone afterwards. */
async function withPolicy(project: StorageProject, policy: string, work: () => Promise<void>): Promise<void> {
  await project.sql.unsafe(`create policy contract on storage.objects ${policy}`);
  try {
    await work();
  } finally {
    await project.sql.unsafe("drop policy contract on storage.objects");
  }
}

/** No list, no read, no write, no overwrite, no delete, no signed URL, no sight of the bucket. */
async function assertShutOut(project: StorageProject, bucket: string, role: Role): Promise<void> {
  const files = project.client(role).from(bucket);
  assert.deepEqual((await files.list()).data, []);
  assert.deepEqual((await files.listV2()).data!.objects, []);
  assertClientRefused((await files.download("a")).error, "noObject");
  assertClientRefused((await files.info("a")).error, "noObject");
  assert.equal((await files.exists("a")).data, false);
  assertClientRefused((await files.upload("new", "new", TEXT)).error, "byPolicy");
  assertClientRefused((await files.upload("a", "bad", { ...TEXT, upsert: true })).error, "byPolicy");
  assertClientRefused((await files.update("a", "bad", TEXT)).error, "byPolicy");
  assert.deepEqual((await files.remove(["a"])).data, []);
  assertRefused(await project.send("DELETE", `/object/${bucket}/a`, { as: role }), [
    "403",
    "Unauthorized",
    "AccessDenied",
    "Access denied",
  ]);
  assertClientRefused((await files.move("a", "b")).error, "noObject");
  assertClientRefused((await files.copy("a", "b")).error, "noObject");
  assertClientRefused((await files.createSignedUrl("a", 60)).error, "noObject");
  assert.equal((await files.createSignedUrls(["a"], 60)).data![0]!.signedUrl, null);
  assertClientRefused((await files.createSignedUploadUrl("new")).error, "byPolicy");

  const client = project.client(role);
  assertClientRefused((await client.getBucket(bucket)).error, "noBucket");
  assert.deepEqual((await client.listBuckets()).data, []);
  assertClientRefused((await client.createBucket(project.bucketName())).error, "byPolicy");
  assertClientRefused((await client.updateBucket(bucket, { public: true })).error, "noBucket");
  assertRefused(
    await project.send("POST", `/bucket/${bucket}/empty`, { as: role }),
    ["403", "Unauthorized", "AccessDenied", "Access denied: Invalid role"],
    403,
  );
  assertClientRefused((await client.deleteBucket(bucket)).error, "notEmpty");

  const { data } = await project.client().from(bucket).download("a");
  assert.equal(await data!.text(), "hello");
}

export const access: Facts = {
  "without policies, anon is shut out of a private bucket": async (project) => {
    await assertShutOut(project, await hello(project), "anon");
  },

  "without policies, authenticated is shut out as well": async (project) => {
    await assertShutOut(project, await hello(project), "authenticated");
  },

  "without a key, or with a bad one, nothing is listed, read, written, removed or signed": async (
    project,
  ) => {
    const bucket = await hello(project);
    for (const [as, refusal] of [[null, "noAuthorization"], [{ token: "bad" }, "noToken"]] as const) {
      const write = { as, body: new Uint8Array(1), headers: { "x-upsert": "true" } };
      assertRefused(
        await project.send("POST", `/object/list/${bucket}`, { as, body: { prefix: "" } }),
        refusal,
      );
      assertRefused(await project.send("GET", `/object/${bucket}/a`, { as }), "noBucket");
      assertRefused(await project.send("POST", `/object/${bucket}/a`, write), refusal);
      assertRefused(await project.send("PUT", `/object/${bucket}/a`, write), refusal);
      assertRefused(
        await project.send("DELETE", `/object/${bucket}`, { as, body: { prefixes: ["a"] } }),
        refusal,
      );
      assertRefused(await project.send("DELETE", `/object/${bucket}/a`, { as }), refusal);
      assertRefused(
        await project.send("POST", `/object/sign/${bucket}/a`, { as, body: { expiresIn: 9 } }),
        refusal,
      );
      assertRefused(await project.send("POST", `/object/upload/sign/${bucket}/b`, { as }), refusal);
      assertRefused(await project.send("GET", `/bucket/${bucket}`, { as }), refusal);
    }
    assert.equal((await project.send("GET", `/object/${bucket}/a`)).body, "hello");
  },

  "a policy for the service role changes nothing for anybody": needing("sql", async (project) => {
    const bucket = await hello(project);
    await withPolicy(project, "for all to service_role using (true) with check (true)", async () => {
      await assertShutOut(project, bucket, "anon");
      await assertShutOut(project, bucket, "authenticated");
    });
  }),

  "a policy of select lets its role list, read and sign, and see no bucket": needing(
    "sql",
    async (project) => {
      const bucket = await hello(project);
      await withPolicy(project, `for select to authenticated using (bucket_id = '${bucket}')`, async () => {
        const files = project.client("authenticated").from(bucket);
        assert.equal((await files.list()).data!.length, 1);
        assert.equal(await (await files.download("a")).data!.text(), "hello");
        assert.equal((await files.createSignedUrl("a", 60)).error, null);
        assertClientRefused((await files.upload("b", "b", TEXT)).error, "byPolicy");
        assertClientRefused((await files.upload("a", "b", { ...TEXT, upsert: true })).error, "byPolicy");
        assert.deepEqual((await files.remove(["a"])).data, []);
        assertClientRefused((await project.client("authenticated").getBucket(bucket)).error, "noBucket");
        await assertShutOut(project, bucket, "anon");
      });
    },
  ),

  "a policy of insert alone lets its role upload, not overwrite, list or read": needing(
    "sql",
    async (project) => {
      const bucket = await hello(project);
      await withPolicy(
        project,
        `for insert to authenticated with check (bucket_id = '${bucket}')`,
        async () => {
          const files = project.client("authenticated").from(bucket);
          assert.equal((await files.upload("b", "b", TEXT)).error, null);
          assertClientRefused((await files.upload("c", "c", { ...TEXT, upsert: true })).error, "byPolicy");
          assert.deepEqual((await files.list()).data, []);
          assertClientRefused((await files.download("b")).error, "noObject");
          assert.equal(await (await project.client().from(bucket).download("b")).data!.text(), "b");
        },
      );
    },
  ),

  "a policy that names no role opens the bucket to anon: the mistake to test for": needing(
    "sql",
    async (project) => {
      const bucket = await hello(project);
      await withPolicy(project, `for all using (bucket_id = '${bucket}')`, async () => {
        const files = project.client("anon").from(bucket);
        assert.equal((await files.list()).data!.length, 1);
        assert.equal((await files.upload("a", "overwritten", { ...TEXT, upsert: true })).error, null);
        assert.equal(await (await files.download("a")).data!.text(), "overwritten");
        assert.equal((await files.remove(["a"])).data!.length, 1);
      });
    },
  ),

  "a policy sees the caller's claims, and the type and length of what is to come": needing(
    ["sql", "secret"],
    async (project) => {
      const bucket = await project.bucket();
      const sub = crypto.randomUUID();
      const token = await project.token({ role: "authenticated", sub });
      const check = `bucket_id = '${bucket}'
      and split_part(name, '/', 1) = current_setting('request.jwt.claims', true)::jsonb ->> 'sub'
      and metadata ->> 'mimetype' = 'text/plain' and (metadata ->> 'contentLength')::int < 10`;
      await withPolicy(project, `for insert to authenticated with check (${check})`, async () => {
        const files = project.client({ token }).from(bucket);
        assert.equal((await files.upload(`${sub}/a`, "mine", TEXT)).error, null);
        assertClientRefused((await files.upload("theirs/a", "mine", TEXT)).error, "byPolicy");
        assertClientRefused((await files.upload(`${sub}/b`, "much too long", TEXT)).error, "byPolicy");
        const html = { contentType: "text/html" };
        assertClientRefused((await files.upload(`${sub}/c`, "mine", html)).error, "byPolicy");
      });
    },
  ),

  "triggers on the objects fire for the trial of an upload too, which is rolled back": needing(
    "sql",
    async (project) => {
      const bucket = await project.bucket();
      await project.sql.unsafe(`
      create sequence public.contract_fired;
      create function public.contract_count() returns trigger
      language plpgsql security definer set search_path = ''
      as $$ begin perform nextval('public.contract_fired'); return null; end $$;
      create trigger contract after insert on storage.objects
      for each row when (new.bucket_id = '${bucket}') execute function public.contract_count()`);
      try {
        await project.client().from(bucket).upload("a", "a", TEXT);
        const [row] = await project.sql`select last_value::int as fired from public.contract_fired`;
        assert.equal(row!.fired, 2);
        const [{ count }] = await project.sql`
        select count(*)::int from storage.objects where bucket_id = ${bucket}` as unknown as [
          { count: number },
        ];
        assert.equal(count, 1);
      } finally {
        await project.sql.unsafe(`
        drop trigger contract on storage.objects;
        drop function public.contract_count();
        drop sequence public.contract_fired`);
      }
    },
  ),

  "rows are not deleted by SQL, unless the setting that the server uses is set": needing(
    "sql",
    async (project) => {
      const bucket = await hello(project);
      for (const table of ["objects", "buckets"]) {
        await assert.rejects(project.sql.unsafe(`delete from storage.${table}`), {
          code: "42501",
          message: "Direct deletion from storage tables is not allowed. Use the Storage API instead.",
        });
      }
      await project.sql.begin(async (sql) => {
        await sql`set local storage.allow_delete_query = 'true'`;
        assert.equal((await sql`delete from storage.objects where bucket_id = ${bucket}`).count, 1);
      });
      assertClientRefused((await project.client().from(bucket).info("a")).error, "noObject");
    },
  ),
};
