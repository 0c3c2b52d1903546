import assert from "node:assert/strict";
import type { Facts } from "./project.ts";
import { assertRefused } from "./refusals.ts";

const TEXT = { contentType: "text/plain" };

export const names: Facts = {
  "a name has ASCII letters, digits and `_ / ! . * ' ( ) & $ @ = ; : + , -` and space": async (project) => {
    const bucket = await project.bucket();
    for (const name of ["a_/!.*'()&$@=;:+,-b", "2026-11-22T03:00:00Z.dump", "two words", "A/b/c.d"]) {
      const { data, error } = await project.client().from(bucket).upload(name, name, TEXT);
      assert.equal(error, null, name);
      assert.equal(data!.fullPath, `${bucket}/${name}`);
      assert.equal(await (await project.client().from(bucket).download(name)).data!.text(), name);
    }
  },

  "other characters are refused": async (project) => {
    const bucket = await project.bucket();
    for (const name of ["é", "a~b", "a[b", "a]b", "a|b", 'a"b', "a#b", "a%b", "a{b", "a^b", "a`b"]) {
      assertRefused(
        await project.send("POST", `/object/${bucket}/${encodeURIComponent(name)}`, {
          body: new Uint8Array(1),
        }),
        ["400", "InvalidKey", "InvalidKey", `Invalid key: ${name}`],
      );
    }
  },

  "a name of more than a thousand characters is taken": async (project) => {
    const bucket = await project.bucket();
    const name = Array(11).fill("x".repeat(99)).join("/");
    assert.equal((await project.client().from(bucket).upload(name, "a", TEXT)).error, null);
    assert.equal((await project.client().from(bucket).exists(name)).data, true);
  },

  "no name reaches out of its bucket": async (project) => {
    const bucket = await project.bucket();
    const outside = await project.send("POST", `/object/${bucket}/..%2F..%2Fescaped`, {
      body: new Uint8Array(1),
    });
    assert.equal(outside.status, 400);
    assert.equal(outside.body.code, "InvalidKey");
    const climbing = await project.client().from(bucket).upload("../../escaped", "a", TEXT);
    assert.equal(climbing.error?.name, "StorageApiError");
  },

  "supabase-js puts a name into the URL as it is: path is what was asked for, fullPath what was stored":
    async (project) => {
      const bucket = await project.bucket();
      for (
        const [asked, path, stored] of [
          ["cut#here", "cut#here", "cut"],
          ["query?here", "query?here", "query"],
          ["space%20here", "space%20here", "space here"],
          ["/leading//double/", "leading/double", "leading/double"],
          ["back\\slash", "back\\slash", "back/slash"],
        ] as const
      ) {
        const { data, error } = await project.client().from(bucket).upload(asked, "a", TEXT);
        assert.equal(error, null, asked);
        assert.deepEqual([data!.path, data!.fullPath], [path, `${bucket}/${stored}`]);
      }
    },
};
