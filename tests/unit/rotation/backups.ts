/** Backups for tests, in few words. */
import type { KnownBackup, RotationPolicy } from "../../../supabase/functions/backup/rotation/policy.ts";

export const KEEP_FOUR: RotationPolicy = {
  keepScheduled: 4,
  keepManual: 4,
  keepWeekly: 0,
  keepMonthly: 0,
  keepYearly: 0,
};

export const NOW = new Date("2026-11-22T03:05:00Z");

/** `backup-20261122-030000` for `2026-11-22T03:00:00Z`. */
export function nameAt(startedAt: Date): string {
  const [day, time] = startedAt.toISOString().replaceAll(/[-:]/g, "").slice(0, 15).split("T");
  return `backup-${day}-${time}`;
}

/** A good scheduled backup begun at `at`, unless told otherwise. */
export function backup(at: string, facts: Partial<KnownBackup> = {}): KnownBackup {
  const startedAt = new Date(`${at.includes("T") ? at : `${at}T03:00:00`}Z`);
  const name = nameAt(startedAt);
  return {
    name,
    trigger: "scheduled",
    startedAt,
    status: "succeeded",
    verifiedAt: startedAt,
    pinned: false,
    stored: true,
    ...facts,
  };
}
