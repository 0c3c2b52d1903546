/** What a drill found, for people (Markdown), for programs (JSON), and for the project's own table. */
import postgres from "postgres";
import { duration, instant } from "../format.ts";
import { type Check, countOf, OUTCOMES } from "./check.ts";

export interface DrillReport {
  backup: string;
  startedAt: string;
  finishedAt: string;
  target: string;
  counts: ReturnType<typeof countOf>;
  checks: Check[];
}

const HEADINGS = {
  passed: "Passed",
  failed: "Failed",
  skipped: "Skipped: left out or changed on purpose",
  unchecked: "Unchecked: should have been looked at, and could not be",
};

export function drillReport(backup: string, target: string, startedAt: Date, checks: Check[]): DrillReport {
  return {
    backup,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    target,
    counts: countOf(checks),
    checks,
  };
}

export function asMarkdown(report: DrillReport): string {
  const { backup, startedAt, finishedAt, target, counts, checks } = report;
  const took = duration(Date.parse(finishedAt) - Date.parse(startedAt));
  const sections = (["failed", "unchecked", "skipped", "passed"] as const).map((outcome) => {
    const found = checks.filter((check) => check.outcome === outcome);
    const lines = found.map(({ what, detail }) => `- **${escaped(what)}** ${escaped(detail)}`);
    return `## ${HEADINGS[outcome]} (${found.length})\n\n${lines.join("\n") || "None."}\n`;
  });
  return `# Drill of ${backup}

${counts.failed === 0 ? "**Passed.**" : "**FAILED.**"} ${
    OUTCOMES.map((outcome) => `${counts[outcome]} ${outcome}`).join(", ")
  }. Restored into ${target}, ${instant(startedAt)}, in ${took}.

${sections.join("\n")}`;
}

/** Names of tables may hold what Markdown takes for its own. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s+/g, " ");
}

/** Writes it to backup.drills of the project. Throws what the database throws. */
export async function recordDrill(databaseUrl: string, report: DrillReport): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {}, connect_timeout: 15 });
  const { backup, startedAt, finishedAt, target, counts, checks } = report;
  const rest = checks.filter(({ outcome }) => outcome !== "passed");
  try {
    await sql`
      insert into backup.drills (name, started_at, finished_at, target, passed, failed, skipped, unchecked, checks)
      values (${backup}, ${startedAt}, ${finishedAt}, ${target}, ${counts.passed}, ${counts.failed}, ${counts.skipped},
        ${counts.unchecked}, ${sql.json(rest as never)})`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
