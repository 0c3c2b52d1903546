/**
 * What a large database is under the hosted limits, this one is under limits scaled down: 300 MB of JSON events, posts,
 * TOASTed documents, partitions and two hundred small tables take twenty invocations or more, each inside its limits,
 * and restore equal.
 */
import assert from "node:assert/strict";
import { generateLargeData } from "../../bench/large_data.ts";
import { tableHashes } from "../../bench/table_hashes.ts";
import { HOSTED_LIMITS } from "../../stack/functions/limits.ts";
import { startProject } from "../e2e/project.ts";
import { startRestores } from "../faults/outcome.ts";

const MEGABYTES = 300;
/** Half of the hosted ones, for slices of a quarter and invocations of a sixth of the default size. */
const LIMITS = { ...HOSTED_LIMITS, cpuMs: 1000, memoryBytes: 160 * 1024 * 1024, wallClockMs: 75_000 };

Deno.test("a database of many invocations", async (test) => {
  await using project = await startProject({ migrate: "directly", policy: "oneshot", limits: LIMITS });
  const { sql, stack } = project;
  await generateLargeData(stack.databaseUrl, MEGABYTES);
  await sql`select backup.configure(slice_bytes => 8000000, invocation_bytes => 16000000, part_bytes => 10000000)`;
  const run = await project.backUp();

  await test.step("is backed up by twenty or more, in one attempt", () => {
    assert.equal(run.status, "succeeded", `${run.error_message} ${JSON.stringify(run.attempts)}`);
    assert.equal(run.attempt, 1, JSON.stringify(run.attempts));
    assert.ok(run.invocations >= 20, `${run.invocations} invocations`);
    assert.ok(run.raw_bytes! > MEGABYTES * 0.95e6, `${run.raw_bytes} bytes of COPY text`);
  });

  await test.step("each inside its limits", () => {
    const workers = stack.functions.workers();
    const ended = workers.map(({ ended }) => ended).filter((reason) =>
      reason !== null && reason !== "early_drop"
    );
    assert.deepEqual(ended, []);
    for (const { cpuMs, peakMemoryBytes, wallMs } of workers) {
      assert.ok(cpuMs < LIMITS.cpuMs * 0.9, `${cpuMs} ms of CPU`);
      assert.ok(peakMemoryBytes < LIMITS.memoryBytes * 0.9, `${peakMemoryBytes} bytes of memory`);
      assert.ok(wallMs < LIMITS.wallClockMs * 0.9, `${wallMs} ms`);
    }
  });

  await test.step("and is restored by two jobs of pg_restore, equal table by table", async () => {
    await using restores = await startRestores(project);
    const source = await tableHashes(stack.superuserUrl);
    assert.ok(Object.keys(source).length > 200);
    assert.deepEqual(await tableHashes(await restores.restore(run.name)), source);
  });
});
