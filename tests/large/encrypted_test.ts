/**
 * Memory, where encryption has most to do: 150 MB of text that compresses to half of its size, in slices and parts of
 * the default size. CPU has a larger limit than the platform's, since a busy machine counts more of it:
 * bench/encryption.ts measures it.
 */
import assert from "node:assert/strict";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { verifyBackup } from "../../cli/verify/verify_backup.ts";
import { HOSTED_LIMITS } from "../../stack/functions/limits.ts";
import { supabaseBucket } from "../../supabase/functions/backup/storage/supabase/supabase_bucket.ts";
import { startProject } from "../e2e/project.ts";

Deno.test("[encryption] a large backup needs no more memory than there is", async () => {
  await using project = await startProject({
    migrate: "directly",
    policy: "oneshot",
    limits: { ...HOSTED_LIMITS, cpuMs: 20_000 },
  });
  const { sql, stack } = project;
  await sql.unsafe(`
    create table public.noise as
    select g as id, (select string_agg(md5((g * 400 + n)::text), '') from generate_series(1, 300) n) as text
    from generate_series(1, 15600) g`);
  const identity = await generateIdentity();
  const identityFile = await Deno.makeTempFile();
  await Deno.writeTextFile(identityFile, identity);
  await sql`select backup.configure(recipient => ${await identityToRecipient(identity)})`;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
  assert.equal(run.attempt, 1, JSON.stringify(run.attempts));
  assert.ok(
    run.raw_bytes! > 149e6 && run.stored_bytes! > 75e6,
    `${run.raw_bytes} became ${run.stored_bytes}`,
  );
  const peaks = stack.functions.workers().map(({ peakMemoryBytes }) => peakMemoryBytes);
  assert.ok(Math.max(...peaks) < HOSTED_LIMITS.memoryBytes * 0.9, `${Math.max(...peaks)} bytes of memory`);
  const bucket = supabaseBucket({ url: stack.apiUrl, key: stack.keys.secretKey, bucket: "backups" });
  const { faults, unchecked, rows } = await verifyBackup(bucket, run.name, { identityFile });
  assert.deepEqual([faults, unchecked, rows], [[], [], run.rows]);
  await Deno.remove(identityFile);
});
