/** What a comparison says: one line for each thing that was looked at, or was not. */
import colors from "picocolors";
import { table } from "../terminal.ts";

/** `skipped`: left out or changed on purpose. `unchecked`: should have been looked at, and could not be. */
export type Outcome = "passed" | "failed" | "skipped" | "unchecked";

export interface Check {
  what: string;
  outcome: Outcome;
  detail: string;
}

export const OUTCOMES: readonly Outcome[] = ["passed", "failed", "skipped", "unchecked"];

const COLORS = { passed: colors.green, failed: colors.red, skipped: colors.dim, unchecked: colors.yellow };

/** Failures come last, where they are seen. */
const ORDER: Record<Outcome, number> = { passed: 0, skipped: 1, unchecked: 2, failed: 3 };

/** What fits a line of a wide terminal; reports have all of it. */
const SHOWN = 120;

export function checksTable(checks: readonly Check[]): string {
  const sorted = [...checks].sort((a, b) => ORDER[a.outcome] - ORDER[b.outcome]);
  return table(
    ["", "what", "detail"],
    sorted.map(({ what, outcome, detail }) => [COLORS[outcome](outcome), what, shortened(detail)]),
  );
}

function shortened(detail: string): string {
  const line = detail.replace(/\s+/g, " ");
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}

export function countOf(checks: readonly Check[]): Record<Outcome, number> {
  const counts = { passed: 0, failed: 0, skipped: 0, unchecked: 0 };
  for (const { outcome } of checks) counts[outcome]++;
  return counts;
}

export function summaryOf(checks: readonly Check[]): { failed: number; text: string } {
  const counts = countOf(checks);
  return {
    failed: counts.failed,
    text: OUTCOMES.map((outcome) => `${counts[outcome]} ${outcome}`).join(", "),
  };
}
