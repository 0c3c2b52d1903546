/** Applies a policy to backups: which it keeps, and why; one reason is enough. */

export interface RotationPolicy {
  keepScheduled: number;
  keepManual: number;
  /** For how many weeks, months and years that have a backup the newest one stays; for each trigger. */
  keepWeekly: number;
  keepMonthly: number;
  keepYearly: number;
}

export interface Dated {
  name: string;
  startedAt: Date;
}

/** Returns reasons by name. `newestFirst` has backups of one trigger, sorted. */
export function retained(
  newestFirst: readonly Dated[],
  trigger: "scheduled" | "manual",
  policy: RotationPolicy,
): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  const keep = (name: string, reason: string) => reasons.set(name, [...reasons.get(name) ?? [], reason]);
  const last = trigger === "scheduled" ? policy.keepScheduled : policy.keepManual;
  newestFirst.slice(0, last).forEach(({ name }, index) => keep(name, `${trigger} ${index + 1} of ${last}`));
  const periods = [
    ["week", policy.keepWeekly, isoWeek],
    ["month", policy.keepMonthly, (at: Date) => at.toISOString().slice(0, 7)],
    ["year", policy.keepYearly, (at: Date) => at.toISOString().slice(0, 4)],
  ] as const;
  for (const [label, limit, periodOf] of periods) {
    const seen = new Set<string>();
    for (const { name, startedAt } of newestFirst) {
      const period = periodOf(startedAt);
      if (seen.size >= limit || seen.has(period)) continue;
      seen.add(period);
      keep(name, `${label} ${period}`);
    }
  }
  return reasons;
}

const DAY_MS = 24 * 3600 * 1000;

/** Returns the week as in `2026-W47` (ISO 8601, UTC): it belongs to the year that has its Thursday. */
function isoWeek(at: Date): string {
  const daysAfterMonday = (at.getUTCDay() + 6) % 7;
  const thursday = new Date(at.getTime() + (3 - daysAfterMonday) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
