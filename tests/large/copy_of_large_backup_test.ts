/** A backup of many full parts, copied under the hosted limits: by several invocations, none of which dies. */
import assert from "node:assert/strict";
import { HOSTED_LIMITS } from "../../stack/functions/limits.ts";
import { startScene } from "../copies/scene.ts";

/** Hexadecimal digits compress to little more than a half. */
const ROWS = `create table public.noise (id int primary key, text text);
  insert into public.noise
  select g, (select string_agg(md5((g * 50 + i)::text), '') from generate_series(1, 50) i) from generate_series(1, 250000) g`;

Deno.test("a backup of hundreds of megabytes is copied within the limits of its invocations", async () => {
  await using scene = await startScene({ policy: "oneshot" });
  await scene.sql.unsafe(ROWS).simple();
  const { run, copy } = await scene.backUpAndCopy();
  assert.ok(run.stored_bytes! > 200_000_000, `${run.stored_bytes} bytes`);
  assert.equal(copy.failures, 0);
  assert.ok(copy.bytes! >= run.stored_bytes!);
  const [calls] = await scene.sql<{ number: number }[]>`
    select count(*)::int as number from backup.calls where purpose = 'copy' and used_at is not null`;
  assert.ok(calls!.number >= 2, `${calls!.number} invocations`);
  const workers = scene.stack.functions.workers();
  const died = workers.map(({ ended }) => ended).filter((reason) =>
    reason !== null && reason !== "early_drop"
  );
  assert.deepEqual(died, []);
  for (const { cpuMs, peakMemoryBytes } of workers) {
    assert.ok(cpuMs < HOSTED_LIMITS.cpuMs * 0.9, `${cpuMs} ms of CPU`);
    assert.ok(peakMemoryBytes < HOSTED_LIMITS.memoryBytes * 0.9, `${peakMemoryBytes} bytes of memory`);
  }
});
