import assert from "node:assert/strict";
import { type Facts, needing } from "./project.ts";
import { assertRefused } from "./refusals.ts";

const TEXT = { contentType: "text/plain" };

export const removal: Facts = {
  "remove answers what it removed, with names that are not there and doubled ones left out": async (
    project,
  ) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    for (const name of ["a", "folder/b", "c"]) await files.upload(name, name, TEXT);
    const { data } = await files.remove(["a", "none", "folder/b", "a"]);
    assert.deepEqual(data!.map(({ name }) => name).sort(), ["a", "folder/b"]);
    assert.equal(data![0]!.bucket_id, bucket);
    assert.deepEqual((await files.list()).data!.map(({ name }) => name), ["c"]);
    assert.equal((await files.exists("a")).data, false);
  },

  "a folder's name removes nothing, and a bucket that is not there gives an empty list": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    await files.upload("folder/a", "a", TEXT);
    assert.deepEqual((await files.remove(["folder", "folder/"])).data, []);
    assert.deepEqual((await project.client().from("contract-none").remove(["a"])).data, []);
  },

  "an empty list of names is refused": async (project) => {
    const bucket = await project.bucket();
    assertRefused(
      await project.send("DELETE", `/object/${bucket}`, { body: { prefixes: [] } }),
      ["400", "Error", "InvalidRequest", "body/prefixes must NOT have fewer than 1 items"],
    );
  },

  "a name that was removed can be uploaded again, as another object": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    const first = await files.upload("a", "first", TEXT);
    await files.remove(["a"]);
    const second = await files.upload("a", "second", TEXT);
    assert.notEqual(second.data!.id, first.data!.id);
    assert.equal(await (await files.download("a")).data!.text(), "second");
  },

  "one object can be removed by its own URL": async (project) => {
    const bucket = await project.bucket();
    await project.client().from(bucket).upload("a/b", "b", TEXT);
    const removed = await project.send("DELETE", `/object/${bucket}/a/b`);
    assert.deepEqual([removed.status, removed.body], [200, { message: "Successfully deleted" }]);
    assertRefused(await project.send("DELETE", `/object/${bucket}/a/b`), "noObject");
  },

  "a thousand names are removed in one call": needing("sql", async (project) => {
    const bucket = await project.bucket();
    await project.sql`
      insert into storage.objects (bucket_id, name, version, metadata)
      select ${bucket}, 'n' || n, gen_random_uuid()::text, '{}' from generate_series(1, 1000) as n`;
    const names = Array.from({ length: 1000 }, (_, at) => `n${at + 1}`);
    assert.equal((await project.client().from(bucket).remove(names)).data!.length, 1000);
  }),

  "move takes an object to another name or bucket and keeps its id": async (project) => {
    const [bucket, other] = [await project.bucket(), await project.bucket()];
    const files = project.client().from(bucket);
    const { data } = await files.upload("a", "moved", { ...TEXT, metadata: { k: "v" } });
    assert.equal((await files.move("a", "b/c")).data!.message, "Successfully moved");
    assert.equal((await files.move("b/c", "d", { destinationBucket: other })).error, null);
    const moved = project.client().from(other);
    assert.equal(await (await moved.download("d")).data!.text(), "moved");
    const info = (await moved.info("d")).data!;
    assert.deepEqual([info.id, info.contentType, info.metadata], [data!.id, "text/plain", { k: "v" }]);
    assert.equal((await files.exists("a")).data, false);
  },

  "copy makes another object of the same content and type": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    const { data } = await files.upload("a", "copied", { ...TEXT, metadata: { k: "v" } });
    assert.deepEqual((await files.copy("a", "b")).data, { path: `${bucket}/b` });
    const info = (await files.info("b")).data!;
    assert.notEqual(info.id, data!.id);
    assert.deepEqual([info.size, info.contentType, info.metadata], [6, "text/plain", { k: "v" }]);
    assert.equal(await (await files.download("a")).data!.text(), "copied");
  },

  "neither move nor copy overwrites, and neither takes an object that is not there": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    for (const name of ["a", "b"]) await files.upload(name, name, TEXT);
    const duplicate = (code: string) => ["409", "Duplicate", code, "The resource already exists"] as const;
    const from = (sourceKey: string, destinationKey: string) => ({
      body: { bucketId: bucket, sourceKey, destinationKey },
    });
    assertRefused(
      await project.send("POST", "/object/move", from("a", "b")),
      duplicate("ResourceAlreadyExists"),
    );
    assertRefused(await project.send("POST", "/object/copy", from("a", "b")), duplicate("KeyAlreadyExists"));
    assertRefused(await project.send("POST", "/object/move", from("none", "c")), "noObject");
    assertRefused(await project.send("POST", "/object/copy", from("none", "c")), "noObject");
  },
};
