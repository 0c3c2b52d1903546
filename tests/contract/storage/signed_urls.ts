import assert from "node:assert/strict";
import { type Facts, needing, type StorageProject } from "./project.ts";
import { assertClientRefused, assertRefused } from "./refusals.ts";

const TEXT = { contentType: "text/plain" };

async function hello(project: StorageProject): Promise<string> {
  const bucket = await project.bucket();
  await project.client().from(bucket).upload("folder/a b.txt", "hello", TEXT);
  return bucket;
}

/** Path and query of a URL that supabase-js made. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/object/"));
}

export const signedUrls: Facts = {
  "a signed URL reads one object without a key, until it expires": async (project) => {
    const bucket = await hello(project);
    const { data } = await project.client().from(bucket).createSignedUrl("folder/a b.txt", 60);
    const path = pathOf(data!.signedUrl);
    assert.match(path, new RegExp(`^/object/sign/${bucket}/folder/a%20b\\.txt\\?token=`));
    const { status, headers, body } = await project.send("GET", path, { as: null });
    assert.deepEqual([status, body], [200, "hello"]);
    assert.ok(Date.parse(headers.get("expires")!) > Date.now());
    const claims = JSON.parse(
      atob(path.split("token=")[1]!.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")),
    );
    assert.deepEqual([claims.url, claims.scope, claims.exp - claims.iat], [
      `${bucket}/folder/a b.txt`,
      "download",
      60,
    ]);
  },

  "a token that was changed, or is for another object, opens nothing": async (project) => {
    const bucket = await hello(project);
    const { data } = await project.client().from(bucket).createSignedUrl("folder/a b.txt", 60);
    const path = pathOf(data!.signedUrl);
    const refused = (code: string, message: string) => ["400", code, code, message] as const;
    assertRefused(
      await project.send("GET", path.replace(/token=.*/, "token=broken"), { as: null }),
      refused("InvalidJWT", "Invalid Compact JWS"),
    );
    assertRefused(
      await project.send("GET", path.replace(/(token=.*)\.[^.]*$/, `$1.${"A".repeat(43)}`), { as: null }),
      refused("InvalidJWT", "signature verification failed"),
    );
    assertRefused(
      await project.send("GET", path.replace("folder/", "other/"), { as: null }),
      refused("InvalidSignature", "Invalid signature"),
    );
    assertRefused(
      await project.send("GET", path.replace(/\?.*/, ""), { as: null }),
      ["400", "Error", "InvalidRequest", "querystring must have required property 'token'"],
    );
    assertRefused(
      await project.send("PUT", path.replace("/sign/", "/upload/sign/"), {
        as: null,
        body: new Uint8Array(1),
      }),
      refused("InvalidSignature", "Token is not scoped for upload"),
    );
  },

  "an expired token says so": needing("secret", async (project) => {
    const bucket = await hello(project);
    const token = await project.token({ url: `${bucket}/folder/a b.txt`, scope: "download" }, -10);
    assertRefused(
      await project.send("GET", `/object/sign/${bucket}/folder/a%20b.txt?token=${token}`, { as: null }),
      ["400", "InvalidJWT", "InvalidJWT", '"exp" claim timestamp check failed'],
    );
  }),

  "an object that is not there cannot be signed; of several, each has its own error": async (project) => {
    const bucket = await hello(project);
    const files = project.client().from(bucket);
    assertClientRefused((await files.createSignedUrl("none", 60)).error, "noObject");
    const { data } = await files.createSignedUrls(["folder/a b.txt", "none"], 60);
    assert.deepEqual(data!.map(({ path, error }) => [path, error]), [
      ["folder/a b.txt", null],
      ["none", "Either the object does not exist or you do not have access to it"],
    ]);
    assert.equal(data![1]!.signedUrl, null);
    assert.equal((await project.send("GET", pathOf(data![0]!.signedUrl!), { as: null })).body, "hello");
  },

  "a signed URL is good for at least a second": async (project) => {
    const bucket = await hello(project);
    assertRefused(
      await project.send("POST", `/object/sign/${bucket}/folder/a%20b.txt`, { body: { expiresIn: 0 } }),
      ["400", "Error", "InvalidRequest", "body/expiresIn must be >= 1"],
    );
  },

  "a signed upload URL takes one new object without a key": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    const { data } = await files.createSignedUploadUrl("new");
    const stranger = project.client({ token: "broken" }).from(bucket);
    const uploaded = await stranger.uploadToSignedUrl("new", data!.token, "signed", TEXT);
    assert.equal(uploaded.data!.fullPath, `${bucket}/new`);
    assert.equal(await (await files.download("new")).data!.text(), "signed");
    assertClientRefused(
      (await stranger.uploadToSignedUrl("new", data!.token, "again", TEXT)).error,
      "objectExists",
    );
    assertClientRefused((await files.createSignedUploadUrl("new")).error, "objectExists");
  },

  "a signed upload URL overwrites when it was made to": async (project) => {
    const bucket = await project.bucket();
    const files = project.client().from(bucket);
    await files.upload("a", "first", TEXT);
    const { data } = await files.createSignedUploadUrl("a", { upsert: true });
    assert.equal((await files.uploadToSignedUrl("a", data!.token, "second", TEXT)).error, null);
    assert.equal(await (await files.download("a")).data!.text(), "second");
  },
};
