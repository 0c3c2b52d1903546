import assert from "node:assert/strict";
import type { Facts, StorageProject } from "./project.ts";
import { assertClientRefused, assertRefused } from "./refusals.ts";

async function hello(project: StorageProject, settings = {}): Promise<string> {
  const bucket = await project.bucket(settings);
  await project.client().from(bucket).upload("a.txt", "hello", { contentType: "text/plain" });
  return bucket;
}

export const downloads: Facts = {
  "download gives the bytes, with type, length and MD5 in the headers": async (project) => {
    const bucket = await hello(project);
    for (const route of ["object", "object/authenticated"]) {
      const { status, headers, body } = await project.send("GET", `/${route}/${bucket}/a.txt`);
      assert.deepEqual([status, body], [200, "hello"]);
      assert.equal(headers.get("content-type"), "text/plain");
      assert.equal(headers.get("content-length"), "5");
      assert.equal(headers.get("etag"), '"5d41402abc4b2a76b9719d911017c592"');
      assert.equal(headers.get("cache-control"), "max-age=3600");
      assert.ok(Date.parse(headers.get("last-modified")!) > 0);
    }
  },

  "download can be read as a stream": async (project) => {
    const bucket = await hello(project);
    const { data } = await project.client().from(bucket).download("a.txt").asStream();
    assert.equal(await new Response(data).text(), "hello");
  },

  "a range of bytes is answered with 206, one outside the object with 416": async (project) => {
    const bucket = await hello(project);
    for (
      const [range, text, contentRange] of [
        ["bytes=1-2", "el", "bytes 1-2/5"],
        ["bytes=3-", "lo", "bytes 3-4/5"],
        ["bytes=-1", "o", "bytes 4-4/5"],
        ["bytes=0-99", "hello", "bytes 0-4/5"],
      ] as const
    ) {
      const { status, headers, body } = await project.send("GET", `/object/${bucket}/a.txt`, {
        headers: { range },
      });
      assert.deepEqual([status, body, headers.get("content-range")], [206, text, contentRange]);
    }
    assertRefused(
      await project.send("GET", `/object/${bucket}/a.txt`, { headers: { range: "bytes=5-9" } }),
      ["416", "invalid_range", "InvalidRange", "invalid range provided"],
      416,
    );
  },

  "a client that holds the content is told so": async (project) => {
    const bucket = await hello(project);
    const headers = { "if-none-match": '"5d41402abc4b2a76b9719d911017c592"' };
    assert.equal((await project.send("GET", `/object/${bucket}/a.txt`, { headers })).status, 304);
  },

  "`download` in the query names the file to save as": async (project) => {
    const bucket = await hello(project);
    const { headers } = await project.send("GET", `/object/${bucket}/a.txt?download=b%20c.txt`);
    assert.equal(
      headers.get("content-disposition"),
      "attachment; filename=b%20c.txt; filename*=UTF-8''b%20c.txt",
    );
  },

  "info tells size, type, MD5, version and times": async (project) => {
    const bucket = await hello(project);
    const { status, body } = await project.send("GET", `/object/info/${bucket}/a.txt`);
    const { id, version, created_at, last_modified, ...rest } = body;
    assert.equal(status, 200);
    assert.ok(id && version && Date.parse(created_at) > 0 && Date.parse(last_modified) > 0);
    assert.deepEqual(rest, {
      name: "a.txt",
      bucket_id: bucket,
      size: 5,
      content_type: "text/plain",
      cache_control: "max-age=3600",
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      metadata: {},
    });
  },

  "exists says false and gives an error as well": async (project) => {
    const bucket = await hello(project);
    const files = project.client().from(bucket);
    assert.deepEqual(await files.exists("a.txt"), { data: true, error: null });
    const { data, error } = await files.exists("none");
    assert.equal(data, false);
    assert.equal((error as unknown as { statusCode: string }).statusCode, "400");
  },

  "an object or a bucket that is not there is a 404 in the body and a 400 over HTTP": async (project) => {
    const bucket = await hello(project);
    for (const route of ["object", "object/authenticated", "object/info"]) {
      assertRefused(await project.send("GET", `/${route}/${bucket}/none`), "noObject");
      assertRefused(await project.send("GET", `/${route}/contract-none/a`), "noBucket");
    }
    assertClientRefused((await project.client().from(bucket).download("none")).error, "noObject");
    assert.equal((await project.send("HEAD", `/object/${bucket}/none`)).status, 400);
  },

  "a stranger cannot tell a private bucket from one that is not there": async (project) => {
    const bucket = await hello(project);
    for (const as of [null, { token: "broken" }]) {
      assertRefused(await project.send("GET", `/object/${bucket}/a.txt`, { as }), "noBucket");
      assertRefused(await project.send("GET", `/object/info/${bucket}/a.txt`, { as }), "noBucket");
    }
    assertRefused(await project.send("GET", `/object/public/${bucket}/a.txt`, { as: null }), "noBucket");
    assertRefused(
      await project.send("GET", `/object/authenticated/${bucket}/a.txt`, { as: null }),
      "noAuthorization",
    );
  },

  "a public bucket's objects are for everybody to read, and no more than that": async (project) => {
    const bucket = await hello(project, { public: true });
    for (const path of [`/object/public/${bucket}/a.txt`, `/object/${bucket}/a.txt`]) {
      assert.equal((await project.send("GET", path, { as: null })).body, "hello");
    }
    assert.equal(
      (await project.send("GET", `/object/info/public/${bucket}/a.txt`, { as: null })).body.size,
      5,
    );
    assertRefused(await project.send("GET", `/object/public/${bucket}/none`, { as: null }), "noObject");
    assert.deepEqual((await project.client("anon").from(bucket).list()).data, []);
    assertRefused(
      await project.send("POST", `/object/${bucket}/b`, { as: "anon", body: new Uint8Array(1) }),
      "byPolicy",
    );
  },
};
