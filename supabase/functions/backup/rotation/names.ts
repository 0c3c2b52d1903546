/**
 * Names of backups: `backup-YYYYMMDD-HHMMSS`, the start in UTC, and `-2`, `-3`, … for a further attempt of that run.
 */

const NAME = /^(backup-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d))(?:-\d+)?$/;

export interface BackupName {
  /** The name without the attempt: the same for all attempts of a run. */
  run: string;
  startedAt: Date;
}

/** Returns null for a name that is not ours, so that no rule is ever applied to it. */
export function parseBackupName(name: string): BackupName | null {
  const [, run, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  if (run === undefined) return null;
  const startedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(startedAt.getTime()) ? null : { run, startedAt };
}
