/** The engine of our own at work on a target: no program of PostgreSQL's is needed. */
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import type { RestorePlan } from "../../supabase/functions/backup/restore/plan.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import type { RestoreOptions } from "../plan/plan_restore.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import type { Target } from "../target/target.ts";
import { CommandError } from "../terminal/errors.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { adviceOn } from "./pg_error_hints.ts";
import { keepAside } from "./report.ts";

/** Restores a plan. Throws CommandError where nothing can be restored. */
export async function runEngine(
  archive: ArchiveFile,
  target: Target,
  plan: RestorePlan,
  asked: RestoreOptions,
  onEntry: ((entry: string) => void) | undefined,
): Promise<Account> {
  const { jobs, clean, noOwner, dataOnly, reportDir, statementTimeoutMs } = asked;
  const strict = asked.strict ?? isPart(asked);
  let state: keyof typeof LEFT_BY_INTERRUPT = "nothing";
  // The server rolls back what is not committed when the connection is gone.
  using _interrupt = onInterrupt(() => LEFT_BY_INTERRUPT[state]);
  try {
    return await restore({
      archive,
      plan,
      open: () => openSession(target.url, { applicationName: "supabase-backup restore" }),
      options: {
        jobs,
        clean,
        strict,
        owners: !noOwner,
        disableTriggers: dataOnly && target.superuser,
        statementTimeoutMs,
        onCommit: (reached) => state = reached,
        ...(onEntry ? { onEntry } : {}),
        ...(reportDir === null ? {} : { keepAside: (table, lines) => keepAside(reportDir, table, lines) }),
      },
    });
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== "restore_failed") throw error;
    const further = strict && asked.strict === null ? WITHOUT_STRICT : "";
    throw new CommandError(
      error.message,
      error.hint + adviceOn(error.message, error.message) + further,
      error,
    );
  }
}

const LEFT_BY_INTERRUPT = {
  nothing: "Nothing was changed: the restore is one transaction.",
  begun: "What was restored until then is in the target: empty it before you begin again.",
  complete: "Everything is restored; materialized views may be empty.",
};

const WITHOUT_STRICT = " To restore everything else, and be told what stays out, add --no-strict.";

function isPart({ tables, schemas, schemaOnly, dataOnly }: RestoreOptions): boolean {
  return tables.length + schemas.length > 0 || schemaOnly || dataOnly;
}
