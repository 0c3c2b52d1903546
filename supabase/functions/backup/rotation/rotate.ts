/** Rotation, after a verified success: collects the backups, plans, removes. */
import { NOTES_NAME } from "../manifest/companions.ts";
import { MANIFEST_NAME } from "../manifest/manifest.ts";
import type { LoggedRun, Settings } from "../run/run_client.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { Warning } from "../entry.ts";
import { collectBackups } from "./collect_backups.ts";
import { planRotation, type RotationPlan, type RotationPolicy } from "./policy.ts";

export interface RotateOptions {
  /** Every run that is not removed, the present one included. */
  log: readonly LoggedRun[];
  /** The backup that was just stored and verified. */
  finished: string;
  policy: RotationPolicy;
  now: Date;
  /** Called for each backup whose objects are removed; when it throws, the rotation ends. */
  onRemoved(name: string): Promise<void>;
}

/** What was removed, and warnings of what could not be: a rotation never fails the run. */
export interface Rotation {
  removed: string[];
  warnings: Warning[];
}

/** Returns the policy of the settings. */
export function policyOf(settings: Settings): RotationPolicy {
  return {
    keepScheduled: settings.keep_scheduled,
    keepManual: settings.keep_manual,
    keepWeekly: settings.keep_weekly,
    keepMonthly: settings.keep_monthly,
    keepYearly: settings.keep_yearly,
  };
}

/** Rotates the bucket's backups. Throws nothing: a failure is a warning, and the next rotation tries again. */
export async function rotate(bucket: Bucket, options: RotateOptions): Promise<Rotation> {
  try {
    const { backups, warnings } = await collectBackups(bucket, options.log, options.finished, options.now);
    const plan = planRotation(backups, options.policy, options.now);
    // When the server's clock was set back, the backup that was just stored looks older than those before it.
    const remove = plan.remove.filter(({ name }) => name !== options.finished);
    const { removed, warnings: failures } = await removeBackups(bucket, remove, options.onRemoved);
    return { removed, warnings: [...warnings, ...failures] };
  } catch (error) {
    return { removed: [], warnings: [failed("rotation", error)] };
  }
}

/**
 * Removes the backups of a plan: RESTORE.md of each first, then the manifest. What an interruption leaves is not taken
 * for a backup, nor for one whose manifest was lost.
 */
export async function removeBackups(
  bucket: Bucket,
  remove: RotationPlan["remove"],
  onRemoved: RotateOptions["onRemoved"],
): Promise<Rotation> {
  const rotation: Rotation = { removed: [], warnings: [] };
  for (const { name } of remove) {
    try {
      await bucket.remove([`${name}/${NOTES_NAME}`]);
      await bucket.remove([`${name}/${MANIFEST_NAME}`]);
      await bucket.remove((await bucket.list(name)).map((object) => `${name}/${object.name}`));
    } catch (error) {
      rotation.warnings.push(failed(name, error));
      continue;
    }
    rotation.removed.push(name);
    try {
      await onRemoved(name);
    } catch (error) {
      // The worker has lost its place, or the log cannot be reached: its facts about the others may be outdated.
      rotation.warnings.push(failed("rotation", error));
      break;
    }
  }
  return rotation;
}

function failed(object: string, error: unknown): Warning {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "not_rotated", object, message: `Left for the next rotation: ${reason}` };
}
