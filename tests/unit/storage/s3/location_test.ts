import assert from "node:assert/strict";
import { BackupError } from "../../../../supabase/functions/backup/errors.ts";
import { isInProject, s3Location } from "../../../../supabase/functions/backup/storage/s3/location.ts";

const GOOD: Record<string, string> = {
  BACKUP_S3_ENDPOINT: "https://s3.eu-central-1.amazonaws.com/",
  BACKUP_S3_REGION: "eu-central-1",
  BACKUP_S3_BUCKET: "my-second-copies",
  BACKUP_S3_ACCESS_KEY_ID: "AKID",
  BACKUP_S3_SECRET_ACCESS_KEY: "hush/hush",
};
const read = (changes: Record<string, string> = {}) => s3Location((name) => ({ ...GOOD, ...changes })[name]);

Deno.test("[s3Location] nothing set is not a second copy", () => {
  assert.equal(s3Location(() => undefined), null);
  assert.equal(s3Location(() => " "), null);
});

Deno.test("[s3Location] reads the secrets, with and without a prefix", () => {
  assert.deepEqual(read(), {
    endpoint: "https://s3.eu-central-1.amazonaws.com",
    region: "eu-central-1",
    bucket: "my-second-copies",
    prefix: "",
    accessKeyId: "AKID",
    secretAccessKey: "hush/hush",
  });
  assert.equal(read({ BACKUP_S3_PREFIX: "/projects/one/" })!.prefix, "projects/one");
});

Deno.test("[s3Location] takes the S3 endpoint of Supabase Storage, which has a path", () => {
  for (const host of ["x.supabase.co", "x.storage.supabase.co"]) {
    for (const end of ["", "/"]) {
      const location = read({ BACKUP_S3_ENDPOINT: `https://${host}/storage/v1/s3${end}` })!;
      assert.equal(location.endpoint, `https://${host}/storage/v1/s3`);
      assert.equal(isInProject(location, "https://x.supabase.co"), true);
      assert.equal(isInProject(location, "https://other.supabase.co"), false);
    }
  }
  assert.equal(isInProject(read()!, "https://s3.eu-central-1.amazonaws.com"), false);
});

for (
  const [what, changes, said] of [
    ["half of a key", { BACKUP_S3_SECRET_ACCESS_KEY: "" }, /BACKUP_S3_SECRET_ACCESS_KEY is not set/],
    [
      "several missing",
      { BACKUP_S3_BUCKET: "", BACKUP_S3_REGION: "" },
      /REGION, BACKUP_S3_BUCKET are not set/,
    ],
    ["plain HTTP", { BACKUP_S3_ENDPOINT: "http://minio.example:9000" }, /does not begin with https/],
    ["a host that only looks like this machine", { BACKUP_S3_ENDPOINT: "http://127.0.0.1.example" }, /https/],
    ["another scheme", { BACKUP_S3_ENDPOINT: "file:///etc" }, /https/],
    ["no URL", { BACKUP_S3_ENDPOINT: "s3.amazonaws.com" }, /is not a valid URL/],
    ["a bucket in the endpoint", { BACKUP_S3_ENDPOINT: "https://s3.example/bucket" }, /more than scheme/],
    ["a password in the endpoint", { BACKUP_S3_ENDPOINT: "https://u:hush@s3.example" }, /more than scheme/],
    ["a region with a line break", { BACKUP_S3_REGION: "eu\nx" }, /not a valid region name/],
    ["a bucket with a slash", { BACKUP_S3_BUCKET: "a/../b" }, /not a valid bucket name/],
    ["a prefix that climbs", { BACKUP_S3_PREFIX: "a/../b" }, /not a valid path/],
    ["a prefix that needs encoding", { BACKUP_S3_PREFIX: "a b?" }, /not a valid path/],
  ] as const
) {
  Deno.test(`[s3Location] refuses ${what}, and shows no value`, () => {
    assert.throws(() => read(changes), (error) => {
      assert.ok(error instanceof BackupError && error.code === "not_configured");
      assert.match(error.message, said);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /hush|AKID|example/);
      return true;
    });
  });
}
