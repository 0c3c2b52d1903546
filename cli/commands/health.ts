/** `health`: how the backups are, and why, with the exit codes that monitoring knows from Nagios. */
import { Command, Option } from "commander";
import { askDatabase, askFunction, type Health, readLastRuns, type Severity } from "../project/health.ts";
import { prometheusText } from "../project/prometheus.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { jsonOption, PROJECT_NOTE } from "./options.ts";

const EXIT_CODES = { ok: 0, warning: 1, failing: 2 } as const;
const UNKNOWN = 3;

export const command = new Command("health")
  .summary("check the health of the backups")
  .description("Say how the backups are, and why.")
  .option("--db-url <url>", "ask this database instead of the function")
  .addOption(jsonOption())
  .addOption(new Option("--prometheus", "print metrics in Prometheus' text format").conflicts("json"))
  .addHelpText(
    "after",
    `${PROJECT_NOTE}\n\nExit codes: 0 ok, 1 warning, 2 failing, 3 unknown (nothing could be asked).`,
  )
  .action(async ({ dbUrl, json, prometheus }: { dbUrl?: string; json?: true; prometheus?: true }) => {
    const health = dbUrl === undefined ? await askFunction() : await askDatabase(dbUrl);
    if (prometheus) {
      return printResult(...prometheusText(health, await readLastRuns(dbUrl)).trimEnd().split("\n"));
    }
    if (json) printJson(health);
    else printResult(...healthTable(health));
    Deno.exitCode = EXIT_CODES[health.verdict] ?? UNKNOWN;
  });

const PAINTED: Record<Severity | "ok", (text: string) => string> = {
  ok: colors.green,
  info: colors.dim,
  warning: colors.yellow,
  failing: colors.red,
};

/** Returns the verdict on the first line, since monitoring shows no more, and a table of the reasons. */
export function healthTable({ verdict, reasons, facts }: Health): string[] {
  const grave = reasons.filter(({ severity }) => severity !== "info");
  const newest = facts?.newest_backup ? `newest backup ${facts.newest_backup}` : "no backup";
  const summary = grave.length === 0 ? newest : grave.map(({ message }) => message).join("; ");
  const drawn = reasons.length === 0 ? [] : table(
    ["severity", "what", "what to do"],
    reasons.map(({ severity, message, hint }) => [PAINTED[severity](severity), message, hint ?? ""]),
  );
  return [`${PAINTED[verdict](verdict.toUpperCase())}: ${summary}`, ...drawn];
}
