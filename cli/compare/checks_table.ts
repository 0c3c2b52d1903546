/** The result of a comparison in a terminal: what did not pass, and how much did. */
import type { Check, Outcome } from "../../supabase/functions/backup/compare/check.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";

const COLORS = { passed: colors.green, failed: colors.red, skipped: colors.dim, unchecked: colors.yellow };

/** Failures come last, where they are seen. */
const ORDER: readonly Outcome[] = ["skipped", "unchecked", "failed"];

/** Reports have all of a longer detail. */
const SHOWN = 120;

/** Returns a table of the checks that did not pass; reports have the others too. */
export function checksTable(checks: readonly Check[]): string[] {
  const rows = ORDER.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  if (rows.length === 0) return [];
  return table(
    ["", "what", "detail"],
    rows.map(({ what, outcome, detail }) => [COLORS[outcome](outcome), what, shortened(detail)]),
  );
}

function shortened(detail: string): string {
  const line = detail.replace(/\s+/g, " ");
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}
