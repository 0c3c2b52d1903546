/** The bucket `backups` is the service role's alone: the effect, not the presence of a policy. */
import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { startProject } from "./project.ts";

Deno.test("the bucket of the backups", async (test) => {
  await using project = await startProject();
  const { stack } = project;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", run.error_message ?? "");
  const path = `${run.name}/manifest.json`;
  const before = await project.stored();

  const authenticated = await new SignJWT({ role: "authenticated", sub: crypto.randomUUID() })
    .setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h")
    .sign(new TextEncoder().encode(stack.keys.jwtSecret));
  const strangers: Record<string, { key: string; token?: string }> = {
    "anon by the publishable key": { key: stack.keys.publishableKey },
    "anon by the legacy key": { key: stack.keys.anonKey },
    "a user who is logged in": { key: stack.keys.publishableKey, token: authenticated },
    "a bad key": { key: "sb_secret_nonsense" },
  };

  for (const [name, { key, token }] of Object.entries(strangers)) {
    await test.step(`shows nothing to ${name}, and takes nothing`, async () => {
      const bucket = createClient(stack.apiUrl, key, {
        auth: { persistSession: false, autoRefreshToken: false },
        ...(token ? { global: { headers: { authorization: `Bearer ${token}` } } } : {}),
      }).storage.from("backups");
      const options = { contentType: "application/json" };
      for (const prefix of ["", run.name]) assert.deepEqual((await bucket.list(prefix)).data ?? [], []);
      assert.ok((await bucket.download(path)).error);
      assert.ok((await bucket.createSignedUrl(path, 60)).error);
      assert.ok((await bucket.upload(`${run.name}/new.json`, "{}", options)).error);
      assert.ok((await bucket.upload(path, "{}", { ...options, upsert: true })).error);
      assert.ok((await bucket.update(path, "{}", options)).error);
      assert.ok((await bucket.move(path, "elsewhere.json")).error);
      assert.ok((await bucket.copy(path, "elsewhere.json")).error);
      assert.deepEqual((await bucket.remove([path])).data ?? [], []);
      assert.deepEqual(await project.stored(), before);
    });
  }

  await test.step("shows nothing without a key, by no address", async () => {
    for (const route of ["object", "object/public", "object/authenticated", "object/sign"]) {
      const response = await fetch(`${stack.apiUrl}/storage/v1/${route}/backups/${path}`);
      assert.ok(response.status >= 400, `${route}: ${response.status}`);
      assert.doesNotMatch(await response.text(), /sha256/);
    }
  });

  await test.step("takes no other kind of file, even from the service role", async () => {
    const { error } = await project.client.storage.from("backups").upload("a/b.html", "<p>", {
      contentType: "text/html",
    });
    assert.match(error!.message, /mime type/);
  });
});
