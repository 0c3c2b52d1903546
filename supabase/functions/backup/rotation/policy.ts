/**
 * Decides which backups stay and which are removed. Reads and removes nothing: facts go in, names with reasons come
 * out, each exactly once.
 */
import { parseBackupName } from "./names.ts";
import { retained, type RotationPolicy } from "./retention.ts";

export type { RotationPolicy } from "./retention.ts";

/** A folder, as the bucket, the manifests and the log know it. */
export interface KnownBackup {
  name: string;
  /** Number of its run, where the log is available: it increases whatever the clock does. */
  id?: number;
  /** Null when neither the log nor a manifest has it. */
  trigger: "scheduled" | "manual" | null;
  startedAt: Date;
  /** Null when the log does not have it. */
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled" | null;
  verifiedAt: Date | null;
  pinned: boolean;
  /** It has a manifest; a folder without one is not a backup. */
  stored: boolean;
  /** It was verified and has parts, but its manifest is gone, which was not a rotation. */
  lost?: boolean;
}

export interface RotationPlan {
  /** Newest first. */
  keep: { name: string; reasons: string[] }[];
  /** Oldest first: when a rotation is interrupted, the newer ones still exist. */
  remove: { name: string; reason: string }[];
}

/** A folder without a manifest and without a run may belong to a run that this log does not show yet. */
const YOUNG_MS = 24 * 3600 * 1000;

/**
 * Plans a rotation. A backup is good when it is stored and the log calls it a verified success.
 * - Never removed: pinned backups; the newest good backup, by the clock and by its run's number; an active run's
 *   folders; folders whose names are not ours; and, while there is no good backup, anything.
 * - Good backups are counted by trigger: only they take the policy's places.
 * - A stored backup that is not known to be good (it is missing in the log, or its run did not succeed) stays as long
 *   as it would have a place among the good ones, and takes none.
 * - Folders without a manifest are removed when their run is over, or unknown and a day old; so are earlier attempts of
 *   a good backup. A verified backup whose manifest somebody removed stays: its parts may be all that is needed.
 */
export function planRotation(
  backups: readonly KnownBackup[],
  policy: RotationPolicy,
  now: Date,
): RotationPlan {
  const sorted = backups.toSorted(newestFirst);
  const good = sorted.filter(isGood);
  const madeLast = good.toSorted((a, b) => (b.id ?? 0) - (a.id ?? 0))[0];
  const goodRuns = new Map(good.map(({ name }) => [runOf(name), name]));
  const activeRuns = new Set(sorted.filter(isActive).map(({ name }) => runOf(name)));
  const knownRuns = new Set(sorted.filter(({ status }) => status !== null).map(({ name }) => runOf(name)));
  const isEarlierAttempt = (backup: KnownBackup) => !isGood(backup) && goodRuns.has(runOf(backup.name));
  const doubtful = sorted.filter((backup) => backup.stored && !isGood(backup) && !isEarlierAttempt(backup));
  const places = placesOf(good, doubtful, policy);

  function reasonsToKeep(backup: KnownBackup): string[] {
    const { name, trigger, stored, status, startedAt } = backup;
    if (runOf(name) === null) return ["not a backup's name"];
    const reasons = [];
    if (backup.pinned) reasons.push("pinned");
    if (backup === good[0]) reasons.push("newest good");
    else if (backup === madeLast) reasons.push("made last");
    if (activeRuns.has(runOf(name))) reasons.push("its run is active");
    if (backup.lost) reasons.push("its manifest is missing, and its parts may be whole");
    if (stored && trigger === null) reasons.push("its manifest cannot be read");
    const young = now.getTime() - startedAt.getTime() < YOUNG_MS;
    if (!stored && status === null && !knownRuns.has(runOf(name)) && young) {
      reasons.push("younger than a day");
    }
    reasons.push(...places.get(name) ?? []);
    if (reasons.length === 0 && good.length === 0) reasons.push("there is no good backup");
    return reasons;
  }

  function reasonToRemove(backup: KnownBackup): string {
    if (isEarlierAttempt(backup)) return `earlier attempt of ${goodRuns.get(runOf(backup.name))}`;
    if (!backup.stored) return `no manifest, and its run is ${backup.status ?? "unknown"}`;
    return `no place among the ${backup.trigger} ones${isGood(backup) ? "" : ", and not known to be good"}`;
  }

  const keep: RotationPlan["keep"] = [];
  const remove: RotationPlan["remove"] = [];
  for (const backup of sorted) {
    const reasons = reasonsToKeep(backup);
    if (reasons.length > 0) keep.push({ name: backup.name, reasons });
    else remove.unshift({ name: backup.name, reason: reasonToRemove(backup) });
  }
  return { keep, remove };
}

/** Returns why each stored backup keeps a place: good ones among themselves, each of the others among all. */
function placesOf(
  good: KnownBackup[],
  doubtful: KnownBackup[],
  policy: RotationPolicy,
): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const trigger of ["scheduled", "manual"] as const) {
    const ofTrigger = (backup: KnownBackup) => backup.trigger === trigger;
    const all = [...good, ...doubtful].filter(ofTrigger).sort(newestFirst);
    const amongAll = retained(all, trigger, policy);
    for (const { name } of doubtful) {
      if (amongAll.has(name)) places.set(name, [...amongAll.get(name)!, "not known to be good"]);
    }
    for (const [name, reasons] of retained(good.filter(ofTrigger), trigger, policy)) {
      places.set(name, reasons);
    }
  }
  return places;
}

/** Sorts by instant, not by name: an attempt's number does not sort. */
function newestFirst(a: KnownBackup, b: KnownBackup): number {
  return b.startedAt.getTime() - a.startedAt.getTime() || (a.name < b.name ? 1 : -1);
}

function isGood({ name, stored, status, verifiedAt }: KnownBackup): boolean {
  return runOf(name) !== null && stored && status === "succeeded" && verifiedAt !== null;
}

const isActive = ({ status }: KnownBackup) => status === "queued" || status === "running";

/** Returns null for a name that is not ours. */
const runOf = (name: string) => parseBackupName(name)?.run ?? null;
