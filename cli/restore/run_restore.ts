/** A restore, from a checked archive and a plan to a target that may be written: by the engine, or by pg_restore. */
import { dirname } from "node:path";
import { type Account, closed, emptyAccount } from "../../supabase/functions/backup/restore/account.ts";
import { labelOf } from "../../supabase/functions/backup/restore/names.ts";
import type { RestoreOptions } from "../plan/plan_restore.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import type { Target } from "../target/target.ts";
import { findPgRestore, runPgRestore } from "./pg_restore.ts";
import { runEngine } from "./run_engine.ts";
import { archivePieces, entriesOf, type Rewritten, writeArchive } from "./rewrite_archive.ts";

/** Restores what was planned. Returns what became of it. Throws CommandError where nothing can be restored. */
export async function runRestore(
  archive: ArchiveFile,
  target: Target,
  plan: Rewritten,
  options: RestoreOptions,
  onEntry?: (entry: string) => void,
): Promise<Account> {
  const { after = [], roles = [], extensionRows = [] } = plan;
  if (!options.withPgRestore) {
    return await runEngine(archive, target, { ...plan, after: [...after, ...roles] }, options, onEntry);
  }
  await withPgRestore(archive, target, plan, options, onEntry);
  const leftOut = [
    ...extensionRows.map((entry) => ({
      entry: labelOf(entry),
      why: "pg_restore does not restore what belongs to an extension",
    })),
    ...roles.map(({ what, sql }) => ({ entry: what, why: "pg_restore does not restore roles", mend: [sql] })),
  ];
  return closed({ ...emptyAccount(), asInBackup: plan.entries.length, leftOut });
}

/** Through a pipe, or with several connections from a file that is removed. */
async function withPgRestore(
  archive: ArchiveFile,
  target: Target,
  plan: Rewritten,
  { jobs, clean, noOwner, dataOnly }: RestoreOptions,
  onEntry?: (entry: string) => void,
): Promise<void> {
  const entries = entriesOf(plan);
  const program = await findPgRestore(target.version);
  const options = {
    jobs,
    clean,
    noOwner,
    disableTriggers: dataOnly && target.superuser,
    ...(onEntry ? { onEntry } : {}),
  };
  if (jobs === 1) {
    return await runPgRestore(program, target, { ...options, archive: archivePieces(archive, entries) });
  }
  const path = await Deno.makeTempFile({ prefix: "restore-", suffix: ".dump", dir: dirname(archive.path) });
  try {
    await writeArchive(archive, entries, path);
    await runPgRestore(program, target, { ...options, archive: path });
  } finally {
    await Deno.remove(path);
  }
}
