/** Describes what a restore will do, or has done. */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { count, counted, instant } from "../terminal/format.ts";
import { sqlLines } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import type { ArchiveFile } from "../source/archive_file.ts";
import { listed, shown } from "../../supabase/functions/backup/restore_plan/dependents.ts";
import type { Plan } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import { quoted } from "../../supabase/functions/backup/restore_plan/sql_text.ts";
import { kindsInWords } from "./entry_kinds.ts";
import { placeOf, type Target } from "../target/target.ts";

const TABLES_SHOWN = 40;

/** Returns lines about the backup and the target, and what goes from one to the other. */
export async function describePlan(
  archive: ArchiveFile,
  manifest: Manifest | null,
  target: Target,
  plan: Plan,
): Promise<string[]> {
  const from = manifest === null
    ? `${archive.path}, made ${instant(archive.header.createdAt)}`
    : `${manifest.name}, the database as it was at ${instant(manifest.snapshotAt)}`;
  const ofExtensions = plan.extensionRows.filter(({ hasData }) => hasData)
    .map(({ namespace, tag }) => `${namespace}.${tag}`);
  return [
    `from  ${from} (PostgreSQL ${archive.header.serverVersion})`,
    `to    ${placeOf(target.address)} (PostgreSQL ${target.versionText}, ${
      target.kind === "supabase" ? "a Supabase project" : "a plain server"
    })`,
    `what  ${kindsInWords(plan.restored) || "no objects"}`,
    ...(plan.rows.length > 0
      ? [
        `rows  of ${
          plan.rows.map(({ namespace, tag }) => `${namespace}.${tag}`).join(", ")
        }; rows that exist stay`,
      ]
      : []),
    ...(ofExtensions.length > 0
      ? [`rows  of ${listed(ofExtensions)}, where an extension has the table`]
      : []),
    ...(plan.dependents.length > 0
      ? [
        `again ${
          listed(plan.dependents.map(shown))
        }: dependent objects, dropped and recreated as the target has them`,
      ]
      : []),
    ...(plan.newRoles.length > 0 ? [`roles ${plan.newRoles.join(", ")} are created, without login`] : []),
    ...(plan.jobs.length > 0 ? [`jobs  ${plan.jobs.length} of pg_cron, inactive`] : []),
    ...await tablesOf(manifest, target, plan),
  ];
}

/** Returns a table with the rows of each table in the backup and in the target. */
async function tablesOf(manifest: Manifest | null, target: Target, plan: Plan): Promise<string[]> {
  const data = [...plan.restored, ...plan.rows].filter(({ desc }) => desc === "TABLE DATA")
    // Tables that people know come first.
    .sort((a, b) => Number(a.namespace === "backup") - Number(b.namespace === "backup"));
  const rows: string[][] = [];
  for (const { namespace, tag } of data.slice(0, TABLES_SHOWN)) {
    const name = `${quoted(namespace!)}.${quoted(tag)}`;
    const held = manifest?.tables.find((table) => table.schema === namespace && table.name === tag);
    rows.push([`${namespace}.${tag}`, await rowsThere(target, name), held ? count(held.rows) : "?"]);
  }
  if (rows.length === 0) return [];
  return [
    ...table(["table", "in the target", "in the backup"], rows, ["left", "right", "right"]),
    ...(data.length > rows.length ? [`… and ${counted(data.length - rows.length, "more table")}`] : []),
  ];
}

async function rowsThere({ session: { sql } }: Target, name: string): Promise<string> {
  try {
    const [row] = await sql.unsafe<{ rows: string }[]>(`select count(*) as rows from ${name}`);
    return count(Number(row!.rows));
  } catch {
    return "–";
  }
}

/** Returns what is left out, what is unusual, and what a person has to do. */
export function describeRest({ leftOut, notes, toDo, missing }: Plan): string[] {
  return [
    ...byReason(leftOut).map((line) => `${colors.yellow("left out:")} ${line}`),
    ...(missing.extensions.length > 0
      ? [
        `${colors.yellow("left out:")} ${missing.extensions.join(", ")} and ${
          counted(missing.entries.length, "entry", "entries")
        } that need them`,
      ]
      : []),
    ...notes.map((note) => `${colors.yellow("note:")} ${note}`),
    ...toDo.flatMap(({ what, sql }) => [`${colors.cyan("to do:")} ${what}:`, ...sqlLines(sql)]),
  ];
}

/** Groups by reason, since an extension may have a hundred functions. */
function byReason(leftOut: Plan["leftOut"]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { what, why } of leftOut) reasons.set(why, [...reasons.get(why) ?? [], what]);
  return [...reasons].map(([why, all]) => `${listed(all)}: ${why}`);
}
