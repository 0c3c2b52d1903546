/** Metrics of the backups' health, read back by the rules of Prometheus' text format. */
import assert from "node:assert/strict";
import type { Run } from "../../../cli/project/function_client.ts";
import type { Health } from "../../../cli/project/health.ts";
import { prometheusText } from "../../../cli/project/prometheus.ts";

interface Family {
  help: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\n"])*)"`;

/**
 * Reads the exposition format 0.0.4. Throws for a line out of place, a name or value that is not valid, a family in two
 * pieces.
 */
function parse(text: string): Record<string, Family> {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const families: Record<string, Family> = {};
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name, rest] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (kind === "HELP") {
      assert.ok(!(name! in families), `${name} comes once`);
      families[current = name!] = { help: rest!, type: "", samples: [] };
    } else if (kind === "TYPE") {
      assert.deepEqual([name, families[current]!.type, families[current]!.samples.length], [current, "", 0]);
      assert.match(rest!, /^(counter|gauge|histogram|summary|untyped)$/);
      families[current]!.type = rest!;
    } else {
      const sample =
        `^(?<of>${NAME})(?:\\{(?<labels>(?:${LABEL},?)*)\\})? (?<value>-?[0-9.e+]+|NaN|[+-]Inf)$`;
      const { of, labels = "", value } = new RegExp(sample).exec(line)!.groups!;
      assert.equal(of, current, `a sample of ${of} stands among those of ${current}`);
      const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([, label, escaped]) =>
        [label!, escaped!.replace(/\\(.)/g, (_, one) => one === "n" ? "\n" : one)] as const
      );
      assert.equal(new Set(pairs.map(([label]) => label)).size, pairs.length);
      families[current]!.samples.push({ labels: Object.fromEntries(pairs), value: Number(value) });
    }
  }
  return families;
}

const HEALTH: Health = {
  verdict: "warning",
  reasons: [
    { code: "no_drill", severity: "warning", message: "m", hint: "h" },
    { code: 'odd "code"\nwith \\', severity: "info", message: "m", hint: "h" },
  ],
  facts: {
    newest_backup: "backup-20261122-030000",
    backups: 4,
    schedule: "0 3 * * 0",
    longest_wait: "7 days",
    bucket: "backups",
    last_drill: "2026-11-01T00:00:00Z",
  },
  checked_at: "2026-11-23T00:00:00.5+00:00",
};

const RUN = {
  id: 7,
  status: "succeeded",
  started_at: "2026-11-22T03:00:00Z",
  finished_at: "2026-11-22T03:00:12.5Z",
  attempt: 2,
  tables: 12,
  rows: 1234567890,
  raw_bytes: 5e9,
  stored_bytes: 1e9,
  warnings: [{}, {}],
} as unknown as Run;
const FAILED = {
  id: 8,
  status: "failed",
  started_at: "2026-11-22T04:00:00Z",
  finished_at: "2026-11-22T04:00:03Z",
  attempt: 3,
  warnings: [],
} as unknown as Run;
const RUNNING = { id: 9, status: "running", finished_at: null } as unknown as Run;

const values = (families: Record<string, Family>) =>
  Object.fromEntries(Object.entries(families).map(([name, { samples }]) => [name, samples[0]!.value]));

Deno.test("health --prometheus prints what the format allows, with the values of health and log", () => {
  const families = parse(prometheusText(HEALTH, [RUNNING, FAILED, RUN]));
  assert.deepEqual(values(families), {
    supabase_backup_health: 1,
    supabase_backup_reason: 1,
    supabase_backup_stored_backups: 4,
    supabase_backup_checked_timestamp_seconds: Date.parse("2026-11-23T00:00:00.500Z") / 1000,
    supabase_backup_last_drill_timestamp_seconds: Date.parse("2026-11-01T00:00:00Z") / 1000,
    supabase_backup_last_run_succeeded: 0,
    supabase_backup_last_run_attempts: 3,
    supabase_backup_last_run_duration_seconds: 3,
    supabase_backup_last_success_timestamp_seconds: Date.parse("2026-11-22T03:00:12.500Z") / 1000,
    supabase_backup_last_success_rows: 1234567890,
    supabase_backup_last_success_tables: 12,
    supabase_backup_last_success_raw_bytes: 5e9,
    supabase_backup_last_success_stored_bytes: 1e9,
    supabase_backup_last_success_warnings: 2,
  });
  assert.deepEqual(families["supabase_backup_reason"]!.samples.map(({ labels }) => labels), [
    { code: "no_drill", severity: "warning" },
    { code: 'odd "code"\nwith \\', severity: "info" },
  ]);
  // As promtool's lint: every metric has a help, gauges are not named as counters, units are base units.
  for (const [name, { help, type }] of Object.entries(families)) {
    assert.ok(help.length > 10 && type === "gauge", name);
    assert.doesNotMatch(name, /_total$|_count$|_sum$|_bucket$|milliseconds|_ms$|megabytes|gauge/);
  }
});

Deno.test("health --prometheus leaves out what is not known", () => {
  const families = parse(prometheusText({ ...HEALTH, verdict: "failing", reasons: [], facts: null }, []));
  assert.deepEqual(Object.keys(values(families)).sort(), [
    "supabase_backup_checked_timestamp_seconds",
    "supabase_backup_health",
  ]);
});

Deno.test("the dashboard asks for metrics that exist", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/grafana.json", import.meta.url));
  const { panels } = JSON.parse(text) as { panels: { targets: { expr: string }[] }[] };
  const asked = panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => expr.match(/supabase_backup_\w+/g)!)
  );
  const there = new Set(Object.keys(parse(prometheusText(HEALTH, [FAILED, RUN]))));
  assert.ok(asked.length >= 9);
  assert.deepEqual(asked.filter((name) => !there.has(name)), []);
});
