import assert from "node:assert/strict";
import type { Facts } from "./project.ts";
import { assertClientRefused, assertRefused } from "./refusals.ts";

export const buckets: Facts = {
  "a bucket is private, without limits of its own, unless told otherwise": async (project) => {
    const bucket = await project.bucket();
    const { data } = await project.client().getBucket(bucket);
    const { created_at, updated_at, ...settings } = data!;
    assert.ok(Date.parse(created_at) > 0 && Date.parse(updated_at) > 0);
    assert.deepEqual(settings, {
      id: bucket,
      name: bucket,
      owner: "",
      public: false,
      file_size_limit: null,
      allowed_mime_types: null,
    });
  },

  "createBucket answers the name, and counts a limit in decimal units": async (project) => {
    const bucket = project.bucketName();
    const { data } = await project.client().createBucket(bucket, { public: false, fileSizeLimit: "1MB" });
    assert.deepEqual(data, { name: bucket });
    assert.equal((await project.client().getBucket(bucket)).data!.file_size_limit, 1_000_000);
  },

  "a limit above the project's is refused, as is a second bucket of the name": async (project) => {
    const bucket = project.bucketName();
    const tooMuch = { name: bucket, file_size_limit: project.fileSizeLimit + 1 };
    assertRefused(await project.send("POST", "/bucket", { body: tooMuch }), "tooLarge");
    await project.send("POST", "/bucket", { body: { name: bucket, file_size_limit: project.fileSizeLimit } });
    assertRefused(await project.send("POST", "/bucket", { body: { name: bucket } }), "bucketExists");
    assertClientRefused((await project.client().createBucket(bucket)).error, "bucketExists");
  },

  "a bucket's name has at most 100 characters of a set without slash, and no space at its ends": async (
    project,
  ) => {
    for (const name of ["a/b", "", "é", "a#b", " a", "a ", "x".repeat(101)]) {
      assertRefused(await project.send("POST", "/bucket", { body: { name } }), "badBucketName");
    }
  },

  "MIME types that are none are refused; `type/*` and `*` are some": async (project) => {
    const body = { name: project.bucketName(), allowed_mime_types: ["application/json", "nonsense"] };
    assertRefused(await project.send("POST", "/bucket", { body }), [
      "415",
      "invalid_mime_type",
      "InvalidMimeType",
      "mime type nonsense is not supported",
    ]);
    await project.bucket({ allowed_mime_types: ["image/*", "text/plain; charset=utf-8", "*"] });
  },

  "a body of the wrong shape is refused by naming what is wrong": async (project) => {
    const refused = (message: string) => ["400", "Error", "InvalidRequest", message] as const;
    assertRefused(
      await project.send("POST", "/bucket", { body: { public: true } }),
      refused("body must have required property 'name'"),
    );
    assertRefused(
      await project.send("POST", "/bucket", { body: { name: "a", public: "maybe" } }),
      refused("body/public must be boolean"),
    );
    assertRefused(await project.send("POST", "/bucket"), refused("body must be object"));
  },

  "a bucket that is not there is not found, updated, emptied or deleted": async (project) => {
    for (
      const [method, path, body] of [
        ["GET", "/bucket/contract-none", undefined],
        ["PUT", "/bucket/contract-none", { public: false }],
        ["POST", "/bucket/contract-none/empty", {}],
        ["DELETE", "/bucket/contract-none", {}],
      ] as const
    ) assertRefused(await project.send(method, path, { body }), "noBucket");
    assertClientRefused((await project.client().getBucket("contract-none")).error, "noBucket");
  },

  "updateBucket changes what it is given and keeps the rest": async (project) => {
    const bucket = await project.bucket({ file_size_limit: 1000, allowed_mime_types: ["text/plain"] });
    const { status, body } = await project.send("PUT", `/bucket/${bucket}`, { body: { public: true } });
    assert.deepEqual({ status, body }, { status: 200, body: { message: "Successfully updated" } });
    await project.send("PUT", `/bucket/${bucket}`, { body: { file_size_limit: null } });
    const { data } = await project.client().getBucket(bucket);
    assert.deepEqual(
      [data!.public, data!.file_size_limit, data!.allowed_mime_types],
      [true, null, ["text/plain"]],
    );
  },

  "listBuckets sorts, searches and pages": async (project) => {
    const names = [await project.bucket(), await project.bucket(), await project.bucket()].sort();
    const { data } = await project.client().listBuckets({
      search: "CONTRACT-",
      sortColumn: "name",
      sortOrder: "desc",
      limit: 1000,
      offset: 0,
    });
    const listed = data!.map(({ name }) => name).filter((name) => names.includes(name));
    assert.deepEqual(listed, names.toReversed());
    assert.equal((await project.client().listBuckets({ limit: 1 })).data!.length, 1);
  },

  "a bucket is deleted when it is empty, and emptyBucket says only that it will be": async (project) => {
    const bucket = await project.bucket();
    await project.client().from(bucket).upload("folder/a", "a", { contentType: "text/plain" });
    assertClientRefused((await project.client().deleteBucket(bucket)).error, "notEmpty");
    const { data } = await project.client().emptyBucket(bucket);
    assert.equal(data!.message, "Empty bucket has been queued. Completion may take up to an hour.");
    let deleted = await project.client().deleteBucket(bucket);
    for (let tried = 1; deleted.error !== null && tried < 50; tried++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      deleted = await project.client().deleteBucket(bucket);
    }
    assert.equal(deleted.data!.message, "Successfully deleted");
    assertClientRefused((await project.client().getBucket(bucket)).error, "noBucket");
  },
};
