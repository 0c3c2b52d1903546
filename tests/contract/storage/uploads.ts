import assert from "node:assert/strict";
import type { Facts, StorageProject } from "./project.ts";
import { assertClientRefused, assertRefused } from "./refusals.ts";

const TEXT = { contentType: "text/plain" };

async function content(project: StorageProject, bucket: string, name: string): Promise<string> {
  const { data, error } = await project.client().from(bucket).download(name);
  if (error) throw error;
  return await data.text();
}

export const uploads: Facts = {
  "upload answers path, id and full path": async (project) => {
    const bucket = await project.bucket();
    const { data } = await project.client().from(bucket).upload("folder/a.txt", "hello", TEXT);
    assert.match(data!.id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(data, { id: data!.id, path: "folder/a.txt", fullPath: `${bucket}/folder/a.txt` });
    assert.equal(await content(project, bucket, "folder/a.txt"), "hello");
  },

  "a second upload of a name is refused, with upsert it keeps the id and changes the version": async (
    project,
  ) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    const first = await files.upload("a", "first", TEXT);
    const before = await files.info("a");
    assertClientRefused((await files.upload("a", "second", TEXT)).error, "objectExists");
    assert.equal(await content(project, bucket, "a"), "first");
    const second = await files.upload("a", "second", { ...TEXT, upsert: true });
    const after = await files.info("a");
    assert.equal(second.data!.id, first.data!.id);
    assert.notEqual(after.data!.version, before.data!.version);
    assert.equal(await content(project, bucket, "a"), "second");
  },

  "update overwrites, and makes an object that is not there": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    assert.equal((await files.update("a", "first", TEXT)).error, null);
    assert.equal((await files.update("a", "second", TEXT)).error, null);
    assert.equal(await content(project, bucket, "a"), "second");
  },

  "uploads of one new name at once are no mutex: one content stays, and it is whole": async (project) => {
    const bucket = await project.bucket();
    const contents = ["a", "b", "c", "d"].map((letter) => letter.repeat(200_000));
    const answers = await Promise.all(
      contents.map((text) => project.client().from(bucket).upload("raced", text, TEXT)),
    );
    const stored = answers.filter(({ error }) => error === null);
    assert.ok(stored.length >= 1);
    for (const { error } of answers) if (error) assertClientRefused(error, "objectExists");
    assert.equal(new Set(stored.map(({ data }) => data!.id)).size, 1);
    assert.ok(contents.includes(await content(project, bucket, "raced")));
  },

  "an upload to a bucket that is not there is refused": async (project) => {
    const { error } = await project.client().from("contract-none").upload("a", "a", TEXT);
    assertClientRefused(error, "noBucket");
  },

  "bytes without a content type are text, which a bucket of archives refuses": async (project) => {
    const bucket = await project.bucket({ allowed_mime_types: ["application/octet-stream", "image/*"] });
    const files = project.client().from(bucket);
    assert.equal(
      (await files.upload("a", new Uint8Array(3))).error?.message,
      "mime type text/plain;charset=UTF-8 is not supported",
    );
    for (const contentType of ["application/octet-stream", "image/png"]) {
      assert.equal((await files.upload(contentType, new Uint8Array(3), { contentType })).error, null);
    }
    assertRefused(
      await project.send("POST", `/object/${bucket}/b`, {
        body: new Uint8Array(3),
        headers: { "content-type": "application/json" },
      }),
      ["415", "invalid_mime_type", "InvalidMimeType", "mime type application/json is not supported"],
    );
  },

  "a bucket's limit holds for bytes and for forms: exactly at it is taken, one more is not": async (
    project,
  ) => {
    const bucket = await project.bucket({ file_size_limit: 1000 });
    const files = project.client().from(bucket);
    for (const body of [new Uint8Array(1001), new Blob([new Uint8Array(1001)])]) {
      assertClientRefused((await files.upload("large", body, TEXT)).error, "tooLarge");
    }
    assertClientRefused((await files.info("large")).error, "noObject");
    assert.equal((await files.upload("bytes", new Uint8Array(1000), TEXT)).error, null);
    assert.equal((await files.upload("form", new Blob([new Uint8Array(1000)]), TEXT)).error, null);
  },

  "a body of unknown length is not measured against the limit": async (project) => {
    const bucket = await project.bucket({ file_size_limit: 1000 });
    const { error } = await project.client().from(bucket).upload(
      "a",
      new Blob(["x".repeat(5000)]).stream(),
      TEXT,
    );
    assert.equal(error, null);
    assert.equal((await project.client().from(bucket).info("a")).data!.size, 5000);
  },

  "a declared length above the project's limit is refused before the bytes are sent": async (project) => {
    const bucket = await project.bucket();
    const { hostname, port, pathname, protocol } = new URL(`${project.url}/object/${bucket}/a`);
    const at = { hostname, port: Number(port) || (protocol === "https:" ? 443 : 80) };
    const connection = protocol === "https:" ? await Deno.connectTls(at) : await Deno.connect(at);
    const tooLate = setTimeout(() => connection.close(), 20_000);
    await connection.write(new TextEncoder().encode(
      `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${
        project.key("service_role")
      }\r\n` +
        `Content-Type: text/plain\r\nContent-Length: ${project.fileSizeLimit + 1}\r\n\r\n`,
    ));
    const answer = new Uint8Array(4096);
    let text = "";
    while (!text.includes("EntityTooLarge")) {
      const count = await connection.read(answer);
      assert.notEqual(count, null, `the connection ended: ${text}`);
      text += new TextDecoder().decode(answer.subarray(0, count!));
    }
    assert.match(text, /^HTTP\/1\.1 400 /);
    clearTimeout(tooLate);
    connection.close();
  },

  "a client that has sent a body too large in full learns why it was refused": async (project) => {
    const bucket = await project.bucket({ file_size_limit: 1000 });
    const { error } = await project.client().from(bucket).upload("a", new Uint8Array(8 << 20), TEXT);
    assertClientRefused(error, "tooLarge");
  },

  "an object may be empty": async (project) => {
    const bucket = await project.bucket();
    assert.equal((await project.client().from(bucket).upload("empty", new Uint8Array(0), TEXT)).error, null);
    assert.equal((await project.client().from(bucket).info("empty")).data!.size, 0);
    assert.equal(await content(project, bucket, "empty"), "");
  },

  "metadata of one's own comes back from info, with bytes and with forms": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    await files.upload("bytes", "hello", { ...TEXT, metadata: { run: "7" } });
    await files.upload("form", new Blob(["hello"], { type: "text/css" }), {
      cacheControl: "60",
      metadata: { run: "8" },
    });
    const { data } = await files.info("bytes");
    assert.deepEqual(
      [data!.size, data!.contentType, data!.etag, data!.cacheControl, data!.metadata],
      [5, "text/plain", '"5d41402abc4b2a76b9719d911017c592"', "max-age=3600", { run: "7" }],
    );
    const form = (await files.info("form")).data!;
    assert.deepEqual([form.contentType, form.cacheControl, form.metadata], ["text/css", "max-age=60", {
      run: "8",
    }]);
  },

  "a compressed stream can be uploaded as it is made": async (project) => {
    const bucket = await project.bucket();
    const text = "row\n".repeat(300_000);
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    const files = project.client().from(bucket);
    assert.equal((await files.upload("a.gz", stream, { contentType: "application/gzip" })).error, null);
    const { data } = await files.download("a.gz");
    const back = data!.stream().pipeThrough(new DecompressionStream("gzip"));
    assert.equal(await new Response(back).text(), text);
  },

  "a stream that fails midway leaves no object, and the one before readable": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    await files.upload("old", "old", TEXT);
    for (const name of ["new", "old"]) {
      const failing = new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue(new Uint8Array(100_000));
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.error(new Error("the source broke"));
        },
      });
      const { error } = await files.upload(name, failing, { ...TEXT, upsert: true });
      assert.equal(error?.name, "StorageUnknownError");
    }
    assertClientRefused((await files.info("new")).error, "noObject");
    assert.equal(await content(project, bucket, "old"), "old");
  },
};
