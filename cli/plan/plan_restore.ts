/** The plan of a restore into a target, refused where that lacks what is needed. */
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import type { PlanOptions } from "../../supabase/functions/backup/restore_plan/context.ts";
import { planRestore } from "../../supabase/functions/backup/restore_plan/plan.ts";
import type { Plan } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import type { Target } from "../target/target.ts";
import { CommandError } from "../terminal/errors.ts";
import { readContext, readEntryContext } from "./read_context.ts";

export interface RestoreOptions extends PlanOptions {
  /** Connections that restore at the same time; with more than one it is not one transaction. */
  jobs: number;
  /** Goes on without extensions that the target cannot have, and without what needs them. */
  withoutMissing: boolean;
  /** All or nothing. Null: where a part is restored, because what it lacks is most likely in the rest. */
  strict: boolean | null;
  /** By the stock pg_restore, which is always strict. */
  withPgRestore: boolean;
  /** Milliseconds that a statement may take; 0: as long as it likes. */
  statementTimeoutMs: number;
  /** Folder for the rows that the server does not take; null where they are only counted. */
  reportDir: string | null;
}

export const WHOLE: RestoreOptions = {
  tables: [],
  schemas: [],
  schemaOnly: false,
  dataOnly: false,
  clean: false,
  noOwner: false,
  withFiles: false,
  settle: true,
  jobs: 1,
  withoutMissing: false,
  strict: null,
  withPgRestore: false,
  reportDir: null,
  statementTimeoutMs: 0,
};

/** Plans a restore. Throws CommandError where the target lacks what is needed. */
export async function makePlan(
  archive: ArchiveFile,
  target: Target,
  options: RestoreOptions,
  manifest: Manifest | null = null,
): Promise<Plan> {
  const plan = planRestore(await readContext(archive, target, options, manifest));
  refuseMissing(plan, target, options);
  // Attributes that only a superuser may give would end a strict restore.
  return options.strict ? { ...plan, roles: [], toDo: [...plan.toDo, ...plan.roles] } : plan;
}

/** Throws what makePlan() would throw of these entries, which can be read before the rows are downloaded. */
export async function expectRestorable(
  entries: readonly Entry[],
  target: Target,
  options: RestoreOptions,
  manifest: Manifest,
): Promise<void> {
  refuseMissing(planRestore(await readEntryContext(entries, target, options, manifest)), target, options);
}

function refuseMissing(
  { missing, newRoles }: Plan,
  target: Target,
  { withoutMissing }: RestoreOptions,
): void {
  if (missing.extensions.length > 0 && !withoutMissing) {
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
      "Install them on the target's server, or add --without-missing to leave out them and what needs them.",
    );
  }
  if (newRoles.length > 0 && !target.mayCreateRoles) {
    throw new CommandError(
      `The target lacks the roles ${newRoles.join(", ")}, and ${target.user} may not create roles`,
      "Create them (create role … nologin), or add --no-owner to leave out owners and grants.",
    );
  }
}
