/** A restore, from a checked archive to a target that may be written: plan, prepared archive, pg_restore. */
import { dirname } from "node:path";
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { CommandError } from "../terminal.ts";
import type { ArchiveFile } from "./archive_file.ts";
import { movedExtensions } from "./extensions.ts";
import { findPgRestore, runPgRestore } from "./pg_restore.ts";
import { type Plan, type PlanOptions, planRestore } from "./plan.ts";
import { preparedPieces, writePrepared } from "./prepared.ts";
import type { Target } from "./target.ts";

export interface RestoreOptions extends PlanOptions {
  /** Connections that restore at the same time; with more than one it is not one transaction. */
  jobs: number;
  /** Goes on without extensions that the target cannot have, and without what needs them. */
  withoutMissing: boolean;
}

export const WHOLE: RestoreOptions = {
  ...{ tables: [], schemas: [], schemaOnly: false, dataOnly: false, clean: false, noOwner: false },
  ...{ withFiles: false, settle: true, jobs: 1, withoutMissing: false },
};

/** The plan, refused where the target lacks what is needed. Throws CommandError. */
export async function planned(archive: ArchiveFile, target: Target, options: RestoreOptions): Promise<Plan> {
  const plan = await planRestore(archive, target, options);
  const { missing, newRoles } = plan;
  plan.notes.push(...movedExtensions(archive.entries, target));
  if (missing.extensions.length > 0 && !options.withoutMissing) {
    const tables = missing.entries.filter(({ desc }) => desc === "TABLE").map(({ namespace, tag }) =>
      `${namespace}.${tag}`
    );
    throw new CommandError(
      `The target cannot have ${
        missing.extensions.join(", ")
      }, which ${missing.entries.length} entries need` +
        (tables.length > 0
          ? `, among them the tables ${tables.slice(0, 8).join(", ")}`
          : ", but no table does"),
      "Install them on the target's server, or go on without them and what needs them: --without-missing",
    );
  }
  if (newRoles.length > 0 && !target.mayCreateRoles) {
    throw new CommandError(
      `The target lacks the roles ${newRoles.join(", ")}, and ${target.user} may not create roles`,
      "Create them (create role … nologin), or leave owners and grants out: --no-owner",
    );
  }
  return plan;
}

/** Restores a prepared archive of these entries: through a pipe, or with several connections from a file that is removed. Throws CommandError. */
export async function restoreEntries(
  archive: ArchiveFile,
  target: Target,
  entries: readonly Entry[],
  { jobs, clean, noOwner, dataOnly }: RestoreOptions,
  onEntry?: (entry: string) => void,
): Promise<void> {
  const program = await findPgRestore(target.version);
  const options = {
    ...{ jobs, clean, noOwner, disableTriggers: dataOnly && target.superuser },
    ...(onEntry ? { onEntry } : {}),
  };
  if (jobs === 1) {
    return await runPgRestore(program, target, { ...options, archive: preparedPieces(archive, entries) });
  }
  const path = await Deno.makeTempFile({ prefix: "restore-", suffix: ".dump", dir: dirname(archive.path) });
  try {
    await writePrepared(archive, entries, path);
    await runPgRestore(program, target, { ...options, archive: path });
  } finally {
    await Deno.remove(path);
  }
}
