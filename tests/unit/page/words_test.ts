/** What the page computes by itself: the next run, when Storage is full, words for a shell. */
import assert from "node:assert/strict";
import { forecast } from "../../../cli/page/browser/forecast.ts";
import { nextRun } from "../../../cli/page/browser/schedule.ts";
import { distance, shellWord } from "../../../cli/page/browser/words.ts";
import type { Run } from "../../../cli/project/function_client.ts";

Deno.test("[page] nextRun() follows pg_cron's five fields", () => {
  // A Tuesday.
  const now = new Date("2026-12-01T07:30:20Z");
  const expected: Record<string, string | null> = {
    "0 3 * * 0": "2026-12-06T03:00:00.000Z",
    "0 3 * * 7": "2026-12-06T03:00:00.000Z",
    "30 7 * * *": "2026-12-02T07:30:00.000Z",
    "31 7 * * *": "2026-12-01T07:31:00.000Z",
    "*/20 * * * *": "2026-12-01T07:40:00.000Z",
    "0 12 1,15 * *": "2026-12-01T12:00:00.000Z",
    "0 0 13 * fri": "2026-12-04T00:00:00.000Z",
    "0 0 29 feb *": "2028-02-29T00:00:00.000Z",
    "15 1-3/2 * jan mon-wed": "2027-01-04T01:15:00.000Z",
    "0 0 30 2 *": null,
    "61 * * * *": null,
    "* * * *": null,
    "nonsense": null,
  };
  for (const [schedule, at] of Object.entries(expected)) {
    assert.equal(nextRun(schedule, now)?.toISOString() ?? null, at, schedule);
  }
});

Deno.test("[page] forecast() draws a line through the sizes of the kept backups", () => {
  const day = 24 * 3600 * 1000;
  const now = Date.parse("2026-12-01T00:00:00Z");
  const run = (daysAgo: number, size: number) =>
    ({
      status: "succeeded",
      stored_bytes: size,
      started_at: new Date(now - daysAgo * day).toISOString(),
    }) as Run;
  // Each backup is 10 larger than the one a day before; four are kept, so Storage grows by 40 a day.
  const runs = [0, 1, 2, 3, 4].map((days) => run(days, 1000 - 10 * days));
  const full = (runs: Run[]) => forecast(runs, { kept: 4, stored: 3920, quota: 4320 }, now);
  assert.equal(full(runs)!.toISOString(), "2026-12-11T00:00:00.000Z");
  assert.equal(full(runs.slice(0, 3)), null, "too few runs");
  assert.equal(full([0, 1, 2, 3].map((days) => run(days, 1000))), null, "nothing grows");
});

Deno.test("[page] distance() and shellWord()", () => {
  const now = Date.parse("2026-12-01T00:00:00Z");
  const words = (instant: string) => distance(instant, now);
  assert.deepEqual(
    ["2026-11-30T23:59:31Z", "2026-12-01T00:01:00Z", "2026-11-29T00:00:00Z", "2025-11-01T00:00:00Z"].map(
      words,
    ),
    ["now", "in 1 minute", "2 days ago", "1 year ago"],
  );
  assert.deepEqual(["public.orders", "a b", "it's", "$(x)"].map(shellWord), [
    "public.orders",
    "'a b'",
    `'it'\\''s'`,
    "'$(x)'",
  ]);
  assert.equal(shellWord("a\n'\u202e"), `$'a\\U0000000a\\'\\U0000202e'`);
});
