/** Collects what the bucket, the manifests and the log know of the backups. */
import { BackupError } from "../errors.ts";
import { hasLostManifest } from "../manifest/companions.ts";
import { MANIFEST_NAME, readManifest } from "../manifest/manifest.ts";
import type { LoggedRun } from "../run/run_client.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { Warning } from "../entry.ts";
import { parseBackupName } from "./names.ts";
import type { KnownBackup } from "./policy.ts";

export interface Gathered {
  backups: KnownBackup[];
  /** Backups in the log that the bucket lacks, and manifests that cannot be read. */
  warnings: Warning[];
}

/**
 * Reads the bucket. `log` is every run that is not removed; `finished` the name of the backup that was just stored and
 * verified, whose run the log still shows as running. Throws what the bucket throws.
 */
export async function collectBackups(
  bucket: Bucket,
  log: readonly LoggedRun[],
  finished: string | null,
  now: Date,
): Promise<Gathered> {
  const logged = new Map(log.map((run) => [run.name, run]));
  const folders = new Set(await bucket.folders());
  const warnings: Warning[] = [];
  const backups: KnownBackup[] = [];
  for (const name of folders) {
    const run = logged.get(name);
    const files = parseBackupName(name) === null ? [] : (await bucket.list(name)).map(({ name }) => name);
    const stored = files.includes(MANIFEST_NAME);
    if (run === undefined) backups.push({ ...await unlogged(name, stored), ...lostOf(files, true) });
    else if (name === finished) backups.push({ ...known(run, stored), status: "succeeded", verifiedAt: now });
    else backups.push({ ...known(run, stored), ...lostOf(files, run.status === "succeeded") });
  }
  // A run that failed before it stored anything has left no folder.
  const gone = log.filter(({ name, status }) => !folders.has(name) && status === "succeeded");
  backups.push(...gone.map((run) => known(run, false)));
  for (const { name, status, stored, lost } of backups) {
    if (lost) {
      warnings.push({
        code: "manifest_lost",
        object: name,
        message:
          "its manifest is missing, and its parts are there: `supabase-backup log --rebuild` makes it anew",
      });
    } else if (status === "succeeded" && !stored) {
      warnings.push({
        code: "backup_lost",
        object: name,
        message: "the log has it, but the bucket has no manifest of it",
      });
    }
  }
  return { backups, warnings };

  async function unlogged(name: string, stored: boolean): Promise<KnownBackup> {
    const startedAt = parseBackupName(name)?.startedAt ?? new Date(0);
    const trigger = stored ? await triggerOf(name) : null;
    return { name, trigger, startedAt, status: null, verifiedAt: null, pinned: false, stored };
  }

  async function triggerOf(name: string): Promise<KnownBackup["trigger"]> {
    try {
      return readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`)).run.trigger;
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== "manifest_invalid") throw error;
      warnings.push({ code: error.code, object: name, message: error.message });
      return null;
    }
  }
}

function lostOf(files: readonly string[], mayHaveSucceeded: boolean): { lost?: true } {
  return mayHaveSucceeded && hasLostManifest(files) ? { lost: true } : {};
}

function known(run: LoggedRun, stored: boolean): KnownBackup {
  const { id, name, trigger, status, pinned } = run;
  const verifiedAt = run.verified_at === null ? null : new Date(run.verified_at);
  const startedAt = new Date(run.started_at);
  return {
    name,
    trigger,
    startedAt,
    status,
    verifiedAt,
    pinned,
    stored,
    ...(id === undefined ? {} : { id }),
  };
}
