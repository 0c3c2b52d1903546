/** From an archive and a target to what will be restored: which entries, changed how, and what is left for a person. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { isPlatformRole, MANAGED_ROWS } from "../../supabase/functions/backup/manifest/project_entries.ts";
import { rolesNamed } from "../../supabase/functions/backup/manifest/roles.ts";
import { adapted } from "./adapting.ts";
import type { ArchiveFile } from "./archive_file.ts";
import { droppedWithParent } from "./clean.ts";
import { isOfCron, type Job, jobsOf, jobsOn, restoredJobs } from "./cron_jobs.ts";
import { databaseStatements } from "./database_settings.ts";
import { defaultPrivileges } from "./default_privileges.ts";
import { missingExtensions, needing } from "./extensions.ts";
import { hangingEntries, listed, shown } from "./hanging.ts";
import { inOrderOfKeys } from "./key_order.ts";
import { managedRows } from "./managed_rows.ts";
import { createRoles } from "./new_roles.ts";
import { ownersApart } from "./owners.ts";
import { placeEntries } from "./placing.ts";
import { sqlEntry } from "./prepared.ts";
import { presentIn } from "./present.ts";
import { quietTables } from "./quiet.ts";
import { dependents, select, type Wanted } from "./selection.ts";
import { secretsOf } from "./secrets.ts";
import { settled, surroundingsOf } from "./settle.ts";
import type { Target } from "./target.ts";
import { disabledWebhook } from "./webhooks.ts";

export interface PlanOptions extends Wanted {
  clean: boolean;
  noOwner: boolean;
  /** Rows of storage.objects too, which are true only where the files are. */
  withFiles: boolean;
  /** Makes the copy's own backups start from a clean state; a drill compares what was there. */
  settle: boolean;
}

export interface Plan {
  /** Everything was asked for, not some tables or schemas, rows or definitions. */
  whole: boolean;
  /** Owners and grants are as in the archive, not left out. */
  owners: boolean;
  /** For the prepared archive. */
  entries: Entry[];
  /** Entries of the archive that the target will have as they are. */
  restored: Entry[];
  /** Entries whose objects come back otherwise on purpose, with the reason. */
  altered: Map<number, string>;
  /** Platform's tables that get rows. */
  rows: Entry[];
  /** Of the target: they hang on what is dropped, and are made again as they are. */
  hanging: Entry[];
  jobs: Job[];
  /** Extensions that the target cannot have, and how many entries need them. */
  missing: { extensions: string[]; entries: Entry[] };
  newRoles: string[];
  leftOut: { what: string; why: string }[];
  notes: string[];
  /** For a person to run afterwards. */
  toDo: { what: string; sql: string }[];
}

export async function planRestore(archive: ArchiveFile, target: Target, options: PlanOptions): Promise<Plan> {
  const { entries: all } = archive;
  const present = await presentIn(target);
  const isProject = target.kind === "supabase";
  const whole = options.tables.length + options.schemas.length === 0;
  let last = all.reduce((most, { dumpId, dependencies }) => Math.max(most, dumpId, ...dependencies), 0);
  const nextId = () => ++last;
  const plan: Plan = {
    whole: whole && !options.schemaOnly && !options.dataOnly,
    owners: !options.noOwner,
    ...{
      entries: [],
      restored: [],
      altered: new Map(),
      rows: [],
      hanging: [],
      jobs: [],
      newRoles: [],
      leftOut: [],
      notes: [],
      toDo: [],
    },
    missing: { extensions: [], entries: [] },
  };

  // 1. What was asked for, and of it what this kind of target takes.
  const chosen = new Set(select(all, options, present.has).map(({ dumpId }) => dumpId));
  const { webhooks } = placeEntries(archive, chosen, target, present, options, plan);

  if (!whole && !options.withDependents && !options.dataOnly) {
    const gone = dependents(all, options, present.has);
    if (gone.length > 0) {
      plan.notes.push(`${listed(gone.map(shown))} hung on it and the target has them not: --with-dependents`);
    }
  }

  // 2. What cannot be without an extension that is not to be had.
  const missing = missingExtensions(plan.restored, target);
  const unable = needing(all, missing, target);
  plan.missing = { extensions: missing, entries: plan.restored.filter(({ dumpId }) => unable.has(dumpId)) };
  plan.restored = plan.restored.filter(({ dumpId }) => !unable.has(dumpId));

  if (options.clean) {
    const { entries, notes } = await hangingEntries(target, plan.restored, nextId);
    plan.hanging = entries;
    plan.notes.push(...notes);
  }

  // 3. Roles: they are the server's, so no archive has them.
  const named = [...rolesNamed([...plan.restored, ...webhooks], { owners: !options.noOwner })]
    .filter((role) => !target.roles.has(role));
  plan.newRoles = named.filter((role) => !isProject || !isPlatformRole(role)).sort();
  const unknown = new Set(named.filter((role) => !plan.newRoles.includes(role)));

  // 4. Changes that the target asks for.
  let own = [...plan.restored, ...plan.hanging].map((entry) =>
    adapted(entry, plan, target, { unknown, noOwner: options.noOwner })
  );
  if (options.clean) own = droppedWithParent(own);
  let owners = "";
  if (isProject) {
    const given = new Set([...plan.newRoles, ...[...target.roles].filter((role) => !isPlatformRole(role))]);
    given.delete(target.user);
    ({ entries: own, sql: owners } = ownersApart(own, given));
  }
  if (options.dataOnly) own = inOrderOfKeys(own, all);
  // A superuser has pg_restore do it, foreign keys included.
  const quiet = options.dataOnly && !target.superuser
    ? await quietTables(target, own.filter(({ desc }) => desc === "TABLE DATA"))
    : { off: "", on: "" };

  // 5. What surrounds them.
  const rank = ({ namespace, tag }: Entry) => MANAGED_ROWS.indexOf(`${namespace}.${tag}`) >>> 0;
  const rows = await managedRows(plan.rows.sort((a, b) => rank(a) - rank(b)), target, nextId);
  plan.notes.push(...rows.notes);
  if (rows.done !== null) {
    const { done } = rows;
    const waits = (entry: Entry) =>
      entry.desc === "FK CONSTRAINT" || entry.desc === "TRIGGER" ||
      (options.dataOnly && entry.desc === "TABLE DATA");
    own = own.map((entry) =>
      waits(entry) ? { ...entry, dependencies: [...entry.dependencies, done] } : entry
    );
  }
  const defaults = !options.dataOnly && !options.noOwner
    ? await defaultPrivileges(target)
    : { takeAway: "", giveBack: "" };
  const before = [
    section("roles", createRoles(plan.newRoles, target), "pre-data"),
    section("default privileges", defaults.takeAway, "pre-data"),
    section("triggers off", quiet.off, "pre-data"),
  ];
  const after = [
    ...webhooks.map(webhookEntry),
    section("triggers on", quiet.on, "post-data"),
    section("owners", owners, "post-data"),
    section("jobs of pg_cron, inactive", await jobsSql(), "post-data"),
    section(
      "the copy's own backups",
      options.settle ? settled(plan, await surroundingsOf(target)) : "",
      "post-data",
    ),
    section("settings of the database", databaseSql(), "post-data"),
    // A whole restore has the source's own.
    section("default privileges", whole ? "" : defaults.giveBack, "post-data"),
  ];
  await listSecrets();
  const heading = own.filter(isHeading);
  plan.entries = [
    ...heading,
    ...before,
    ...rows.entries,
    ...own.filter((entry) => !isHeading(entry)),
    ...after,
  ]
    .filter((entry) => entry !== null);
  return plan;

  function section(tag: string, sql: string, place: "pre-data" | "post-data"): Entry | null {
    if (sql === "") return null;
    const needs = place === "post-data"
      ? own.filter((entry) => entry.section !== "post-data").map(({ dumpId }) => dumpId)
      : [];
    return sqlEntry(nextId(), tag, sql, place, needs);
  }

  function webhookEntry(entry: Entry): Entry | null {
    const webhook = disabledWebhook(entry);
    if (webhook === null) return null;
    plan.altered.set(entry.dumpId, "webhooks come back disabled");
    // One that was off in the source stays off.
    if (!/ DISABLE TRIGGER /.test(entry.definition!)) {
      plan.toDo.push({ what: "turn a webhook on", sql: webhook.on });
    }
    return sqlEntry(nextId(), `webhook ${entry.tag}, disabled`, webhook.sql, "post-data", entry.dependencies);
  }

  async function jobsSql(): Promise<string> {
    if (!all.some((entry) => isOfCron(entry) && chosen.has(entry.dumpId)) || options.schemaOnly) return "";
    const jobs = await jobsOf(archive);
    if (jobs.length === 0) return "";
    const hasCron = target.extensions.has("pg_cron") ||
      plan.restored.some(({ desc, tag }) => desc === "EXTENSION" && tag === "pg_cron");
    if (!hasCron) {
      plan.notes.push(`The target has no pg_cron: ${jobs.length} jobs are left out`);
      return "";
    }
    const { sql, restored, notes } = await restoredJobs(jobs, target);
    plan.jobs = restored;
    plan.notes.push(...notes);
    const on = restored.filter(({ active }) => active);
    if (on.length > 0) plan.toDo.push({ what: `turn ${on.length} jobs on`, sql: jobsOn(on) });
    return sql;
  }

  function databaseSql(): string {
    return isProject || !target.superuser || !whole || options.dataOnly
      ? ""
      : databaseStatements(all, target.address.database, options.noOwner);
  }

  async function listSecrets(): Promise<void> {
    if (!isProject || options.schemaOnly || !whole) return;
    for (const secret of await secretsOf(archive)) {
      plan.toDo.push({ what: "enter a secret of Vault again", sql: secret });
    }
  }
}

function isHeading({ desc }: Entry): boolean {
  return desc === "ENCODING" || desc === "STDSTRINGS" || desc === "SEARCHPATH";
}
