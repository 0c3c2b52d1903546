/** Rotation by hand: plans it, and removes the backups that the caller has confirmed. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { LoggedRun, Settings } from "../run/run_client.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { Warning } from "../entry.ts";
import { collectBackups } from "./collect_backups.ts";
import { planRotation, type RotationPlan } from "./policy.ts";
import { policyOf, removeBackups } from "./rotate.ts";

export interface Pruning extends RotationPlan {
  /** Backups that were removed; none unless the request names them. */
  removed: string[];
  warnings: Warning[];
}

/**
 * Plans with the current settings; `{"remove": [names]}` then removes those of the names that the plan removes too. So
 * nothing is removed that the caller has not seen or that the policy keeps. Throws BackupError `bad_request`, and what
 * the bucket throws.
 */
export async function prune(
  control: Session,
  openBucket: (name: string) => Bucket,
  query: unknown,
): Promise<Pruning> {
  const agreed = new Set(namesOf(query));
  const [row] = await control.sql<{ settings: Settings; log: LoggedRun[] }[]>`
    select pg_catalog.to_jsonb(s) as settings, (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(l) operator(pg_catalog.-) 'settings'), '[]')
      from backup.log l where l.removed_at is null
    ) as log
    from backup.settings s`;
  if (row === undefined) {
    throw new BackupError(
      "not_configured",
      "The table backup.settings is empty",
      "Run: select backup.configure()",
    );
  }
  const { settings, log } = row;
  const bucket = openBucket(settings.bucket);
  const now = new Date();
  const { backups, warnings } = await collectBackups(bucket, log, null, now);
  const { keep, remove } = planRotation(backups, policyOf(settings), now);
  const done = await removeBackups(bucket, remove.filter(({ name }) => agreed.has(name)), async (name) => {
    await control.sql`select backup._mark_removed(${name})`;
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
    "Invalid prune request",
    'Send {"prune": {}} to see the plan, or {"prune": {"remove": [names]}} to remove some of it.',
  );
}
