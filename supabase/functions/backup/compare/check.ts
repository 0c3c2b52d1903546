/** What a comparison says: one line for each thing that was looked at, or was not. */

/** `skipped`: left out or changed on purpose. `unchecked`: should have been looked at, and could not be. */
export type Outcome = "passed" | "failed" | "skipped" | "unchecked";

export interface Check {
  what: string;
  outcome: Outcome;
  detail: string;
}

export const OUTCOMES: readonly Outcome[] = ["passed", "failed", "skipped", "unchecked"];

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
