/** Rotation by hand: what would stay and go, and, of what somebody has agreed to, the removal. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { LoggedRun, Settings } from "../run/verbs.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { Warning } from "../toc/entry.ts";
import { gatherBackups } from "./gather.ts";
import { planRotation, type RotationPlan } from "./policy.ts";
import { policyOf, removeBackups } from "./rotate.ts";

export interface Pruning extends RotationPlan {
  /** What was removed: nothing unless asked to. */
  removed: string[];
  warnings: Warning[];
}

/**
 * Plans by the settings of this moment; `{"remove": [names]}` then removes those of the names that the plan removes as well, so that
 * nobody removes what he has not seen, and nothing that the policy keeps. Throws BackupError `bad_request`, and what the bucket throws.
 */
export async function prune(
  control: Session,
  openBucket: (name: string) => Bucket,
  query: unknown,
): Promise<Pruning> {
  const agreed = new Set(namesOf(query));
  const [row] = await control.sql<{ settings: Settings; log: LoggedRun[] }[]>`
    select to_jsonb(s) as settings,
      (select coalesce(jsonb_agg(to_jsonb(l) - 'settings'), '[]') from backup.log l where l.removed_at is null) as log
    from backup.settings s`;
  if (row === undefined) {
    throw new BackupError("not_configured", "There are no settings", "select backup.configure() makes them.");
  }
  const { settings, log } = row;
  const bucket = openBucket(settings.bucket);
  const now = new Date();
  const { backups, warnings } = await gatherBackups(bucket, log, null, now);
  const { keep, remove } = planRotation(backups, policyOf(settings), now);
  const done = await removeBackups(bucket, remove.filter(({ name }) => agreed.has(name)), async (name) => {
    await control.sql`select backup._removed(${name})`;
  });
  return { keep, remove, removed: done.removed, warnings: [...warnings, ...done.warnings] };
}

function namesOf(query: unknown): string[] {
  const { remove = [] } = (query ?? {}) as { remove?: unknown };
  if (
    typeof query === "object" && query !== null && !Array.isArray(query) && Array.isArray(remove) &&
    remove.every((name) => typeof name === "string")
  ) return remove;
  throw new BackupError(
    "bad_request",
    "What to prune cannot be read",
    'Send {"prune": {}} to see the plan, or {"prune": {"remove": [names]}} to remove some of it.',
  );
}
