/** Plans a restore: pure steps, reduced in order. */
import { isBeyondPgDump, ROLES } from "../entry.ts";
import { adaptEntries } from "./adapt_entry.ts";
import { classifyEntries } from "./classify_entries.ts";
import { isWhole, type PlanContext } from "./context.ts";
import { restoreCronJobs } from "./cron_jobs.ts";
import { restoreDatabaseSettings } from "./database_settings.ts";
import { neutralizeDefaultPrivileges } from "./default_privileges.ts";
import { addDependents, noteDependents } from "./dependents.ts";
import { disableTriggers } from "./disable_triggers.ts";
import { dropWithParent } from "./drop_with_parent.ts";
import { leaveOutMissingExtensions } from "./extensions.ts";
import { orderByKeys } from "./key_order.ts";
import { addManagedRows } from "./managed_rows.ts";
import { addRoles } from "./new_roles.ts";
import { createPublicSchema } from "./public_schema.ts";
import { moveOwners } from "./owners.ts";
import type { Plan, PlanStep } from "./plan_step.ts";
import { resetBackupState } from "./reset_backup_state.ts";
import { restoreRoles } from "./restore_roles.ts";
import { selectEntries } from "./select_entries.ts";
import { leaveOutSuperuserOnly } from "./superuser_only.ts";
import { listVaultSecrets } from "./vault_secrets.ts";
import { disableWebhooks } from "./webhooks.ts";

const STEPS: readonly PlanStep[] = [
  selectEntries,
  classifyEntries,
  noteDependents,
  leaveOutMissingExtensions,
  leaveOutSuperuserOnly,
  setExtensionRowsApart,
  // From here on entries differ from the archive's.
  (_, { entries }) => ({ restored: entries }),
  createPublicSchema,
  addDependents,
  addRoles,
  adaptEntries,
  dropWithParent,
  disableWebhooks,
  disableTriggers,
  moveOwners,
  orderByKeys,
  addManagedRows,
  restoreCronJobs,
  resetBackupState,
  restoreDatabaseSettings,
  neutralizeDefaultPrivileges,
  listVaultSecrets,
  restoreRoles,
];

/** Returns the plan. Throws BackupError for an option that the archive or the target does not allow. */
export function planRestore(context: PlanContext): Plan {
  return STEPS.reduce((plan, step) => merged(plan, step(context, plan)), emptyPlan(context));
}

function emptyPlan({ archive, options }: PlanContext): Plan {
  const whole = isWhole(options) && !options.schemaOnly && !options.dataOnly;
  return {
    whole,
    owners: !options.noOwner,
    entries: archive,
    restored: [],
    before: [],
    after: [],
    altered: new Map(),
    rows: [],
    extensionRows: [],
    webhooks: [],
    dependents: [],
    jobs: [],
    newRoles: [],
    roles: [],
    missing: { extensions: [], entries: [] },
    unknownRoles: new Set(),
    superuserOnly: [],
    leftOut: [],
    notes: [],
    toDo: [],
    lastId: archive.reduce((most, { dumpId, dependencies }) => Math.max(most, dumpId, ...dependencies), 0),
  };
}

function setExtensionRowsApart(_: PlanContext, { entries }: Plan): Partial<Plan> {
  return {
    entries: entries.filter((entry) => !isBeyondPgDump(entry)),
    extensionRows: entries.filter((entry) => isBeyondPgDump(entry) && entry.desc !== ROLES),
  };
}

/** Adds to the lists and replaces everything else. */
function merged(plan: Plan, change: Partial<Plan>): Plan {
  const grown = (["before", "after", "leftOut", "notes", "toDo"] as const)
    .map((name) => [name, [...plan[name], ...change[name] ?? []]]);
  const altered = change.altered === undefined ? plan.altered : new Map([...plan.altered, ...change.altered]);
  return { ...plan, ...change, ...Object.fromEntries(grown), altered };
}
