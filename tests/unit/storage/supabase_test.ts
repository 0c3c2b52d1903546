import assert from "node:assert/strict";
import { retrying } from "../../../supabase/functions/backup/storage/retry.ts";
import {
  supabaseBucket,
  type SupabaseBucketOptions,
} from "../../../supabase/functions/backup/storage/supabase/supabase_bucket.ts";
import {
  setUploadFallback,
  uploadFallback,
} from "../../../supabase/functions/backup/storage/http/requests.ts";
import { VERSION } from "../../../supabase/functions/backup/version.ts";
import { assertSameBytes, failsWith, keepsTheContract, noise } from "./bucket_contract.ts";
import { type StorageProject, withStorage } from "./storage_project.ts";

const ARCHIVE = "application/octet-stream";

function open(project: StorageProject, options: Partial<SupabaseBucketOptions> = {}) {
  return supabaseBucket({
    url: project.url,
    key: project.keys.serviceRoleKey,
    bucket: "backups",
    ...options,
  });
}

/** An answer of Storage whose true status is in the body. */
const refusal = (statusCode: string, message: string) =>
  Response.json({ statusCode, error: "x", message, code: "X" }, { status: 400 });

/** Takes one connection, answers so much and hangs up. */
async function breakOff(listener: Deno.Listener, answer: string): Promise<void> {
  const connection = await listener.accept();
  await connection.read(new Uint8Array(65536));
  await connection.write(new TextEncoder().encode(answer));
  connection.close();
  listener.close();
}

/** Hangs up on the first connection, and answers the second one as Storage answers an upload of `name`. */
async function breakFirst(listener: Deno.Listener, name: string): Promise<void> {
  const first = await listener.accept();
  await first.read(new Uint8Array(65536));
  first.close();
  const body = JSON.stringify({ Key: `backups/${name}`, Id: "1" });
  const head = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`;
  await breakOff(listener, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`);
}

Deno.test("[supabaseBucket]", async (test) => {
  await withStorage(async (project) => {
    await test.step("keeps the contract of a bucket", async (test) => {
      await keepsTheContract(test, open(project));
    });

    await test.step("says whether anybody may read it", async () => {
      assert.equal(await open(project).isPublic(), false);
      await project.sql`update storage.buckets set public = true where id = 'backups'`;
      assert.equal(await open(project).isPublic(), true);
      await project.sql`update storage.buckets set public = false where id = 'backups'`;
    });

    await test.step("declares the length of what it uploads", async () => {
      let length: string | null = null;
      project.faults.push((request) => {
        length = request.headers.get("content-length");
        return null;
      });
      await open(project).put("lengths/part", noise(70_000), ARCHIVE);
      assert.equal(length, "70000");
    });

    await test.step("says in each request who it is", async () => {
      const seen: (string | null)[] = [];
      const look = (request: Request) => {
        seen.push(request.headers.get("user-agent"));
        return null;
      };
      project.faults.push(look, look, look, look);
      const bucket = open(project);
      await bucket.put("agents/large", noise(700_000), ARCHIVE);
      await bucket.put("agents/small", noise(7), ARCHIVE);
      await bucket.get("agents/small");
      await bucket.list("agents");
      assert.deepEqual(seen, Array(4).fill(`supabase-backup/${VERSION}`));
    });

    await test.step("says what refused it before Storage did, and that the key is not the reason", async () => {
      const refuse = () => new Response("error code: 1010", { status: 403 });
      for (const call of ["put", "list"] as const) {
        project.faults.push(refuse, refuse);
        const bucket = open(project);
        await assert.rejects(
          () => call === "put" ? bucket.put("a/b", noise(1), ARCHIVE) : bucket.list("a"),
          (error) => {
            const { hint } = error as { hint: string };
            assert.match(hint, /Cloudflare refused the request .* the key is not the reason/);
            return failsWith("refused", /error code: 1010 \(403\)/)(error);
          },
        );
        project.faults.length = 0;
      }
    });

    await test.step("says what a page says that stands in for Storage", async () => {
      project.faults.push(() =>
        new Response("<html><style>p {}</style><h1>Bad  gateway</h1>", {
          status: 502,
          headers: { "content-type": "text/html" },
        })
      );
      await assert.rejects(
        () => open(project).get("lengths/part"),
        failsWith("temporary", /: Bad gateway \(502\)/),
      );
    });

    await test.step("uploads with fetch where the first upload of its own client is refused", async () => {
      setUploadFallback(null);
      project.faults.push(() => new Response("no", { status: 400 }));
      await open(project).put("fallen/part", noise(600_000), ARCHIVE);
      assert.equal(uploadFallback(), "400 no");
      assertSameBytes(await open(project).get("fallen/part"), noise(600_000));
    });

    await test.step("uploads with fetch where the first upload of its own client breaks off", async () => {
      setUploadFallback(null);
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const served = breakFirst(listener, "fallen/part");
      const url = `http://127.0.0.1:${listener.addr.port}`;
      await open(project, { url }).put("fallen/part", noise(10), ARCHIVE);
      assert.match(uploadFallback() ?? "", /connection/);
      await served;
    });

    await test.step("keeps its own client where both fail, and after the first upload that it did", async () => {
      setUploadFallback(null);
      const refuse = () => refusal("403", "no");
      project.faults.push(refuse, refuse);
      await assert.rejects(() => open(project).put("fallen/part", noise(10), ARCHIVE), failsWith("refused"));
      assert.equal(uploadFallback(), null);
      await open(project).put("fallen/part", noise(10), ARCHIVE);
      project.faults.push(refuse);
      await assert.rejects(() => open(project).put("fallen/part", noise(10), ARCHIVE), failsWith("refused"));
      assert.equal(uploadFallback(), null);
    });

    await test.step("lists and removes more objects than Storage names in one answer", async () => {
      await project.sql`
        insert into storage.objects (bucket_id, name, version, metadata)
        select 'backups', 'many/' || lpad(g::text, 5, '0') || '.dump', gen_random_uuid()::text, '{"size": 7}'
        from generate_series(1, 2501) g`;
      const listed = await open(project).list("many");
      assert.equal(listed.length, 2501);
      assert.deepEqual(listed.at(-1), { name: "02501.dump", bytes: 7 });
      project.requests.length = 0;
      await open(project).remove(listed.map(({ name }) => `many/${name}`));
      assert.equal(project.requests.filter((request) => request.startsWith("DELETE")).length, 3);
      assert.deepEqual(await open(project).list("many"), []);
    });

    await test.step("throws instead of listing nothing where the bucket is missing or hidden", async () => {
      const missing = open(project, { bucket: "none" });
      await assert.rejects(() => missing.list("a"), failsWith("refused", /Cannot read bucket "none"/));
      await assert.rejects(() => missing.folders(), failsWith("refused"));
      const hidden = open(project, { key: project.keys.anonKey });
      await assert.rejects(() => hidden.list("lengths"), failsWith("refused"));
    });

    await test.step("names the key when it may not write or read", async () => {
      const anon = open(project, { key: project.keys.anonKey });
      await assert.rejects(
        () => anon.put("a/b", noise(1), ARCHIVE),
        failsWith("refused", /row-level security/),
      );
      await assert.rejects(() => open(project, { key: "wrong" }).get("lengths/part"), failsWith("refused"));
    });

    await test.step("does not take a removal for done that Storage left out", async () => {
      const bucket = open(project);
      project.faults.push(() => Response.json([]));
      await assert.rejects(
        () => bucket.remove(["lengths/part", "lengths/none"]),
        failsWith("refused", /Cannot remove "lengths\/part" and 0 more/),
      );
    });

    await test.step("says that a part is larger than the bucket takes", async () => {
      await project.sql`update storage.buckets set file_size_limit = 1000 where id = 'backups'`;
      await assert.rejects(() => open(project).put("a/b", noise(1001), ARCHIVE), (error) => {
        assert.match((error as { hint: string }).hint, /part_bytes/);
        assert.equal((error as { code: string }).code, "storage_full");
        return failsWith("full", /maximum allowed size/)(error);
      });
      await open(project).put("a/b", noise(1000), ARCHIVE);
      await project.sql`update storage.buckets set file_size_limit = 524288000 where id = 'backups'`;
    });

    await test.step("says that the bucket does not take a type", async () => {
      await assert.rejects(
        () => open(project).put("a/b", noise(1), "text/html"),
        failsWith("refused", /415/),
      );
    });

    await test.step("gives up a request that is not answered in time, as temporary", async () => {
      const { promise, resolve } = Promise.withResolvers<Response>();
      for (const call of ["put", "get"] as const) {
        project.faults.push(() => promise);
        const bucket = open(project, { timeout: 100 });
        await assert.rejects(
          () => call === "put" ? bucket.put("a/b", noise(1), ARCHIVE) : bucket.get("a/b"),
          failsWith("temporary"),
        );
      }
      resolve(new Response());
    });

    await test.step("calls a connection that breaks before or in the answer temporary", async () => {
      const broken = ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"];
      for (const answer of broken) {
        const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const served = breakOff(listener, answer);
        const bucket = open(project, { url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}` });
        await assert.rejects(() => bucket.put("a/b", noise(10), ARCHIVE), failsWith("temporary"));
        await served;
      }
    });

    await test.step("gives up an upload that the server does not read", async () => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const accepted = listener.accept();
      const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
      const bucket = open(project, { url, timeout: 200 });
      await assert.rejects(() => bucket.put("a/b", noise(20_000_000), ARCHIVE), failsWith("temporary"));
      (await accepted).close();
      listener.close();
    });

    await test.step("ends a download that its consumer does not want", async () => {
      const { promise: ended, resolve } = Promise.withResolvers<string>();
      const endless = () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65536)),
            cancel: () => resolve("ended"),
          }),
        );
      project.faults.push(endless);
      const unwilling = () => Promise.reject(new RangeError("mine"));
      await assert.rejects(() => open(project).read("a/b", unwilling), new RangeError("mine"));
      const late = setTimeout(() => resolve("still sending"), 5000);
      assert.equal(await ended, "ended");
      clearTimeout(late);
    });

    await test.step("ends the request under way when the worker is told to stop", async () => {
      const { promise, resolve } = Promise.withResolvers<Response>();
      const stop = new AbortController();
      project.faults.push(() => {
        stop.abort(new Error("told to stop"));
        return promise;
      });
      const { signal } = stop;
      const bucket = retrying(open(project, { signal }), { signal });
      await assert.rejects(() => bucket.put("a/b", noise(1), ARCHIVE), new Error("told to stop"));
      resolve(new Response());
    });

    await test.step("with retries survives two answers of 500 and a broken download", async () => {
      const waits: number[] = [];
      const bucket = retrying(open(project), {
        random: () => 1,
        sleep: (ms) => Promise.resolve(void waits.push(ms)),
      });
      const unwell = () => new Response("<html>bad gateway", { status: 502 });
      project.faults.push(unwell, () => refusal("500", "database error"));
      await bucket.put("retried/part", noise(500_000), ARCHIVE);
      project.faults.push(() => {
        const half = new ReadableStream({
          start(controller) {
            controller.enqueue(noise(500_000).slice(0, 1000));
            setTimeout(() => controller.error(new Error("gone")), 20);
          },
        });
        return new Response(half);
      });
      assertSameBytes(await bucket.get("retried/part"), noise(500_000));
      assert.deepEqual(waits, [500, 1000, 500]);
    });
  });
});

Deno.test("[supabaseBucket] calls a server that is not there a temporary failure", async () => {
  const bucket = supabaseBucket({ url: "http://127.0.0.1:9", key: "k", bucket: "backups" });
  await assert.rejects(
    () => bucket.put("a/b", noise(1), ARCHIVE),
    failsWith("temporary", /Cannot store "a\/b"/),
  );
  await assert.rejects(() => bucket.list("a"), failsWith("temporary"));
});
