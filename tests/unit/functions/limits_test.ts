import assert from "node:assert/strict";
import { HOSTED_LIMITS, judge } from "../../../stack/functions/limits.ts";

const UNUSED = { cpuMs: 0, memoryBytes: 0, wallMs: 0 };

Deno.test("[judge] lets a worker be that has used little", () => {
  const usage = { cpuMs: 999, memoryBytes: 127 * 2 ** 20, wallMs: 74_999 };
  assert.deepEqual(judge(usage, HOSTED_LIMITS), { over: null, near: [], retire: false });
});

Deno.test("[judge] retires at half of CPU and wall clock, not of memory", () => {
  const much = { ...UNUSED, memoryBytes: 128 * 2 ** 20 };
  assert.equal(judge(much, HOSTED_LIMITS).retire, false);
  const halves = [{ cpuMs: 1_000 }, { wallMs: 75_000 }];
  for (const half of halves) {
    assert.deepEqual(judge({ ...UNUSED, ...half }, HOSTED_LIMITS), { over: null, near: [], retire: true });
  }
});

Deno.test("[judge] names every limit that is near, and the one that is reached", () => {
  const near = { cpuMs: 1_800, memoryBytes: 231 * 2 ** 20, wallMs: 100 };
  assert.deepEqual(judge(near, HOSTED_LIMITS).near, ["cpu", "memory"]);
  assert.equal(judge(near, HOSTED_LIMITS).over, null);
  assert.equal(judge({ ...UNUSED, cpuMs: 2_000 }, HOSTED_LIMITS).over, "cpu");
  assert.equal(judge({ ...UNUSED, memoryBytes: 2 ** 28 }, HOSTED_LIMITS).over, "memory");
  assert.equal(judge({ ...UNUSED, wallMs: 150_000 }, HOSTED_LIMITS).over, "wall_clock");
});
