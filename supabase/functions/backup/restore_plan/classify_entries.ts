/**
 * Decides which of the selected entries are restored, which only give rows, and which are left out and why.
 */
import { isManaged } from "../catalog/managed.ts";
import {
  classifyForProject,
  type EntryDisposition,
  isOfFiles,
  isWebhook,
} from "../restore_guide/project_entries.ts";
import { type Entry, isBeyondPgDump } from "../entry.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { isOfCron } from "./cron_jobs.ts";
import type { PlanContext } from "./context.ts";
import type { Plan, PlanStep } from "./plan_step.ts";

type Classified = { [name in "entries" | "rows" | "webhooks"]: Entry[] } & {
  leftOut: { what: string; why: string }[];
};

export const classifyEntries: PlanStep = (context, plan) => {
  const chosen = new Set(plan.entries.map(({ dumpId }) => dumpId));
  const { target, archive } = context;
  const classified: Classified = { entries: [], rows: [], webhooks: [], leftOut: [] };
  for (const item of target.kind === "supabase" ? classifyForProject(archive) : classifyForServer(archive)) {
    if (chosen.has(item.entry.dumpId)) classify(item, context, classified);
  }
  return withoutLooseKeys(classified, context);
};

function classify(
  { entry, disposition, why, ofPlatform }: EntryDisposition,
  context: PlanContext,
  to: Classified,
): void {
  const { target, existing, options } = context;
  const isProject = target.kind === "supabase";
  const { desc, namespace, tag } = entry;
  const name = `${namespace}.${tag}`;
  const leaveOut = (why: string) => {
    if (why !== "") to.leftOut.push({ what: `${desc} ${namespace === null ? tag : name}`, why });
  };
  const addRows = () => {
    const why = whyNoRows(entry, context);
    if (why === null) to.rows.push(entry);
    else if (why !== "") leaveOut(rowsInWords(entry, context) + why);
  };
  if (isBeyondPgDump(entry)) return void to.entries.push(entry);
  if (disposition === "left out") return leaveOut(why === "" ? "" : rowsInWords(entry, context) + why);
  if (isOfCron(entry)) return;
  if (disposition === "webhook") {
    if (isProject && !target.schemas.has("supabase_functions")) {
      return leaveOut("database webhooks are not enabled in the target; enable them and create it again");
    }
    return void to.webhooks.push(entry);
  }
  // An extension that this restore creates brings its table along; one that is there may have rows in it.
  const isThere = isProject && desc === "TABLE DATA" && ofPlatform && context.managedTables.has(name);
  if (disposition === "rows" || (disposition === "restored" && isThere)) {
    return addRows();
  }
  // With --clean only the backup's remain: a migration that was applied since then is not in the restored schema.
  if (disposition === "migrations" && target.schemas.has("supabase_migrations") && !options.clean) {
    return desc === "TABLE DATA" ? addRows() : undefined;
  }
  if (stays(entry, context)) return;
  if (isProject && (desc === "POLICY" || desc === "TRIGGER")) {
    const table = tableOf(entry);
    const comes = to.entries.some(({ desc, namespace: schema, tag }) =>
      desc === "TABLE" && schema === namespace && tag === table
    );
    if (table !== null && !existing.hasTable(namespace!, table) && !comes) {
      return leaveOut(`the target has no table ${namespace}.${table}`);
    }
  }
  to.entries.push(entry);
}

/** Returns null for rows that go into a table of the platform, "" where there are none, else why they are left out. */
function whyNoRows(entry: Entry, { options, rowCounts, managedTables }: PlanContext): string | null {
  if (rowCounts.get(entry.dumpId) === 0) return "";
  if (isOfFiles(entry) && !options.withFiles) {
    return "these rows are useless without their files; add --with-files to restore them anyway";
  }
  const table = managedTables.get(`${entry.namespace}.${entry.tag}`);
  if (table === undefined) return "the target has no such table";
  if (!table.insertable) return "the restoring role may not insert into it";
  const there = columnsOf(entry.copy ?? "").some((column) => table.columns.has(column));
  return there ? null : "the target's table has none of its columns";
}

function rowsInWords({ dumpId }: Entry, { rowCounts }: PlanContext): string {
  const rows = rowCounts.get(dumpId);
  return rows === undefined ? "" : `${rows} ${rows === 1 ? "row" : "rows"}: `;
}

/** The platform's schemas and extensions are there, and a project may have been set up in part. */
function stays(entry: Entry, { target, existing, options }: PlanContext): boolean {
  const { desc, namespace, tag } = entry;
  if (!existing.has(entry)) return false;
  if (target.kind === "supabase" && desc === "EXTENSION") return true;
  // A schema is never dropped, since others may use it. In a scratch server it was created for an extension.
  if (desc === "SCHEMA") return !target.scratch || tag === "public";
  const ofPlatform = (desc === "POLICY" || desc === "TRIGGER") && isManaged(namespace ?? "");
  return (desc === "PUBLICATION TABLE" || ofPlatform) && !options.clean;
}

function tableOf({ drop }: Entry): string | null {
  const name = / ON (?:ONLY )?("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)/.exec(drop ?? "")?.[2];
  return name?.replace(/^"|"$/g, "").replaceAll('""', '"') ?? null;
}

/** Leaves out foreign keys to tables that are neither restored nor in the target. */
function withoutLooseKeys(classified: Classified, { archive, existing }: PlanContext): Partial<Plan> {
  const tables = new Map(
    archive.filter(({ desc }) => desc === "TABLE").map((entry) => [entry.dumpId, entry]),
  );
  const come = new Set(classified.entries.filter(({ desc }) => desc === "TABLE").map(({ dumpId }) => dumpId));
  const leftOut = [...classified.leftOut];
  const entries = classified.entries.filter(({ desc, namespace, tag, dependencies }) => {
    if (desc !== "FK CONSTRAINT") return true;
    const missing = dependencies.map((id) => tables.get(id)).find((table) =>
      table !== undefined && !come.has(table.dumpId) && !existing.hasTable(table.namespace!, table.tag)
    );
    if (missing === undefined) return true;
    const why = `it refers to ${missing.namespace}.${missing.tag}, which is missing from the target`;
    leftOut.push({ what: `${desc} ${namespace}.${tag}`, why });
    return false;
  });
  return { ...classified, entries, leftOut };
}

/** A plain server gets everything. What would act on the outside world comes back disabled. */
function classifyForServer(entries: readonly Entry[]): EntryDisposition[] {
  return entries.map((entry) => {
    const ofDatabase = /^DATABASE( PROPERTIES)?$/.test(entry.desc) || /^DATABASE /.test(entry.tag);
    if (ofDatabase) return { entry, disposition: "left out", why: "", ofPlatform: false };
    return { entry, disposition: isWebhook(entry) ? "webhook" : "restored", why: "", ofPlatform: false };
  });
}
