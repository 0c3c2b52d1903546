/**
 * The health of the backups in Prometheus' text format (version 0.0.4), for node_exporter's textfile collector or a
 * push gateway.
 */
import type { Run } from "./function_client.ts";
import type { Health } from "./health.ts";

const VERDICTS = { ok: 0, warning: 1, failing: 2 } as const;

type Sample = [labels: Record<string, string>, value: number];

interface Metric {
  name: string;
  help: string;
  samples: Sample[];
}

/** Returns the text. `runs` are rows of the log, newest first. */
export function prometheusText(
  { verdict, reasons, facts, checked_at: checkedAt }: Health,
  runs: readonly Run[],
): string {
  const last = runs.find(({ finished_at: finished }) => finished !== null);
  const good = runs.find(({ status }) => status === "succeeded");
  const metrics: Metric[] = [
    metric("health", "State of the backups: 0 ok, 1 warning, 2 failing.", VERDICTS[verdict]),
    {
      name: "supabase_backup_reason",
      help: "A reason for the state; 1 while it holds.",
      samples: reasons.map(({ code, severity }): Sample => [{ code, severity }, 1]),
    },
    metric("stored_backups", "Verified backups in the bucket.", facts?.backups),
    metric("checked_timestamp_seconds", "When the state was looked at.", secondsOf(checkedAt)),
    metric(
      "last_drill_timestamp_seconds",
      "When a backup was last restored by a drill.",
      secondsOf(facts?.last_drill),
    ),
    metric("last_run_succeeded", "1 if the last run that ended succeeded.", last && Number(last === good)),
    metric("last_run_attempts", "Attempts of the last run that ended.", last?.attempt),
    metric(
      "last_run_duration_seconds",
      "How long the last run that ended took.",
      last && secondsBetween(last),
    ),
    metric("last_success_timestamp_seconds", "When the last run succeeded.", secondsOf(good?.finished_at)),
    metric("last_success_rows", "Rows of the newest backup.", good?.rows),
    metric("last_success_tables", "Tables of the newest backup.", good?.tables),
    metric("last_success_raw_bytes", "Size of the newest backup's rows before compression.", good?.raw_bytes),
    metric("last_success_stored_bytes", "Size of the newest backup as stored.", good?.stored_bytes),
    metric("last_success_warnings", "Warnings of the newest backup.", good?.warnings.length),
  ];
  return metrics.filter(({ samples }) => samples.length > 0).map(({ name, help, samples }) =>
    [
      `# HELP ${name} ${escaped(help)}`,
      `# TYPE ${name} gauge`,
      ...samples.map((one) => sampleLine(name, one)),
      "",
    ]
      .join("\n")
  ).join("");
}

/** What is not known has no sample. */
function metric(name: string, help: string, value: number | null | undefined): Metric {
  return {
    name: `supabase_backup_${name}`,
    help,
    samples: value == null || Number.isNaN(value) ? [] : [[{}, value]],
  };
}

function sampleLine(name: string, [labels, value]: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${escaped(text).replaceAll('"', '\\"')}"`
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function secondsOf(instant: string | null | undefined): number | null {
  return instant ? Date.parse(instant) / 1000 : null;
}

function secondsBetween({ started_at: started, finished_at: finished }: Run): number {
  return (Date.parse(finished!) - Date.parse(started)) / 1000;
}
