/**
 * Nothing is stored in a bucket that anybody may read, also where the database knows nothing of it: Storage itself is
 * asked. What the database sees is in tests/sql/backup/bucket_public.sql.
 */
import assert from "node:assert/strict";
import { startProject } from "./project.ts";

Deno.test("a bucket that is public", async (test) => {
  let answers = 0;
  let privateAnswers = 0;
  let uploads = 0;
  await using project = await startProject({
    migrate: "directly",
    intercept(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "POST" && pathname.startsWith("/storage/v1/object/backups/")) uploads++;
      if (request.method !== "GET" || pathname !== "/storage/v1/bucket/backups") return null;
      const isPublic = answers++ >= privateAnswers;
      return Response.json({ id: "backups", name: "backups", public: isPublic });
    },
  });

  await test.step("gets not a byte", async () => {
    const run = await project.backUp();
    assert.deepEqual([run.status, run.error_code, run.attempt], ["failed", "bucket_public", 1]);
    assert.match(run.error_message!, /"backups".* is public/);
    assert.match(run.error_hint!, /Make it private/);
    assert.deepEqual([uploads, await project.stored()], [0, {}]);
  });

  await test.step("that somebody has made so in the meantime gets no manifest", async () => {
    [answers, privateAnswers] = [0, 1];
    const run = await project.backUp();
    assert.deepEqual([run.status, run.error_code], ["failed", "bucket_public"]);
    assert.ok(uploads > 0, "this step shows something");
    const names = Object.values(await project.stored()).flat();
    assert.ok(!names.includes("manifest.json"), String(names));
  });
});
