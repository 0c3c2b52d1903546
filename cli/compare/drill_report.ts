/** What a drill found, for people (Markdown), for programs (JSON), and for the project's own table. */
import { markdown } from "../../supabase/functions/backup/visible_text.ts";
import { duration, instant } from "../terminal/format.ts";
import { type Check, countOf, OUTCOMES } from "../../supabase/functions/backup/compare/check.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";

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
  }. Restored into ${escaped(target)}, ${instant(startedAt)}, in ${took}.

${sections.join("\n")}`;
}

function escaped(text: string): string {
  return markdown(text.replace(/\s+/g, " "));
}

/** Writes it to backup.drills of the project. Throws what the database throws. */
export async function recordDrill(databaseUrl: string, report: DrillReport): Promise<void> {
  const session = await openSession(databaseUrl, { applicationName: "supabase-backup drill" });
  const { sql } = session;
  const { backup, startedAt, finishedAt, target, counts, checks } = report;
  const rest = checks.filter(({ outcome }) => outcome !== "passed");
  try {
    await sql`
      insert into backup.drills (name, started_at, finished_at, target, passed, failed, skipped, unchecked, checks)
      values (${backup}, ${startedAt}, ${finishedAt}, ${target}, ${counts.passed}, ${counts.failed}, ${counts.skipped},
        ${counts.unchecked}, ${sql.json(rest as never)})`;
  } finally {
    await session.close();
  }
}
