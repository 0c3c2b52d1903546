/** Reads what a plan is made from, of the archive and of the target, before anything is decided. */
import { readRoles } from "../../supabase/functions/backup/catalog/roles.ts";
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import {
  countManagedRows,
  jobsIn,
  vaultSecretsIn,
} from "../../supabase/functions/backup/restore_plan/archive_rows.ts";
import type { PlanContext, PlanOptions } from "../../supabase/functions/backup/restore_plan/context.ts";
import { rolesIn } from "../../supabase/functions/backup/restore_guide/roles_sql.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import { existingObjects } from "../../supabase/functions/backup/restore_plan/existing_objects.ts";
import {
  readExtensionVersions,
  readJobs,
  readSecretNames,
  readSettings,
  readTriggers,
} from "../target/plan_facts.ts";
import { readDefaultPrivileges } from "../target/default_privileges.ts";
import { readManagedTables } from "../target/managed_tables.ts";
import type { Target } from "../target/target.ts";

const LOCK_TIMEOUT_MS = 60_000;

export async function readContext(
  archive: ArchiveFile,
  target: Target,
  options: PlanOptions,
  manifest: Manifest | null,
): Promise<PlanContext> {
  return {
    ...await readEntryContext(archive.entries, target, options, manifest),
    jobs: await jobsIn(archive),
    secrets: await vaultSecretsIn(archive),
    rowCounts: await countManagedRows(archive, manifest),
    targetEntries: options.clean ? await readEntries(target) : [],
  };
}

/** Reads what a plan is made from while only the archive's entries are known, and nothing of its rows. */
export async function readEntryContext(
  entries: readonly Entry[],
  target: Target,
  options: PlanOptions,
  manifest: Manifest | null,
): Promise<PlanContext> {
  return {
    options,
    archive: entries,
    target,
    jobs: [],
    secrets: [],
    roles: { wanted: rolesIn(entries), there: await readRoles(target.session, target.version) },
    versions: {
      wanted: new Map(manifest?.extensions?.map(({ name, version }) => [name, version])),
      there: await readExtensionVersions(target),
    },
    existing: await existingObjects(target),
    targetEntries: [],
    triggers: await readTriggers(target),
    defaultPrivileges: await readDefaultPrivileges(target),
    managedTables: await readManagedTables(target, entries),
    targetSecrets: await readSecretNames(target),
    rowCounts: new Map(),
    targetJobs: await readJobs(target),
    backupSettings: await readSettings(target),
  };
}

/** Reads the target as a backup would. */
async function readEntries({ url }: Target): Promise<Entry[] | { unread: string }> {
  try {
    const session = await openSession(url, { applicationName: "supabase-backup restore" });
    try {
      await beginSnapshot(session);
      return (await readDump(session, { lockTimeoutMs: LOCK_TIMEOUT_MS })).entries;
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return { unread: error.message };
  }
}
