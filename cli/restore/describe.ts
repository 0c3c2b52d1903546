/** What a restore would do, or has done, in words. */
import colors from "picocolors";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { count, instant } from "../format.ts";
import { table } from "../terminal.ts";
import type { ArchiveFile } from "./archive_file.ts";
import { listed, shown } from "./hanging.ts";
import type { Plan } from "./plan.ts";
import { quoted } from "./roles.ts";
import { placeOf, type Target } from "./target.ts";

const TABLES_SHOWN = 40;

/** The backup and the target, and what goes from one to the other. */
export async function describePlan(
  archive: ArchiveFile,
  manifest: Manifest | null,
  target: Target,
  plan: Plan,
): Promise<string> {
  const from = manifest === null
    ? `${archive.path}, made ${instant(archive.header.createdAt)}`
    : `${manifest.name}, the database as it was at ${instant(manifest.snapshotAt)}`;
  const kinds = new Map<string, number>();
  for (const { desc } of plan.restored) kinds.set(desc, (kinds.get(desc) ?? 0) + 1);
  const what = [...kinds].filter(([desc]) => !/^(ENCODING|STDSTRINGS|SEARCHPATH)$/.test(desc))
    .map(([desc, number]) => `${number} ${desc.toLowerCase()}`).join(", ");
  return [
    `from  ${from} (PostgreSQL ${archive.header.serverVersion})`,
    `to    ${placeOf(target.address)} (PostgreSQL ${target.versionText}, ${
      target.kind === "supabase" ? "a Supabase project" : "a plain server"
    })`,
    `what  ${what || "nothing of its own"}`,
    ...(plan.rows.length > 0
      ? [
        `rows  of ${
          plan.rows.map(({ namespace, tag }) => `${namespace}.${tag}`).join(", ")
        }; those that are there stay`,
      ]
      : []),
    ...(plan.hanging.length > 0
      ? [
        `again ${
          listed(plan.hanging.map(shown))
        }: they hang on what is dropped, and are made again as they are now`,
      ]
      : []),
    ...(plan.newRoles.length > 0 ? [`roles ${plan.newRoles.join(", ")} are created, without login`] : []),
    ...(plan.jobs.length > 0 ? [`jobs  ${plan.jobs.length} of pg_cron, inactive`] : []),
    await tablesOf(manifest, target, plan),
  ].filter((line) => line !== "").join("\n");
}

/** Rows in the backup beside those that the target has now. */
export async function tablesOf(manifest: Manifest | null, target: Target, plan: Plan): Promise<string> {
  const data = [...plan.restored, ...plan.rows].filter(({ desc }) => desc === "TABLE DATA")
    // What people know comes first.
    .sort((a, b) => Number(a.namespace === "backup") - Number(b.namespace === "backup"));
  const rows: string[][] = [];
  for (const { namespace, tag } of data.slice(0, TABLES_SHOWN)) {
    const name = `${quoted(namespace!)}.${quoted(tag)}`;
    const held = manifest?.tables.find((table) => table.schema === namespace && table.name === tag);
    rows.push([`${namespace}.${tag}`, await rowsThere(target, name), held ? count(held.rows) : "?"]);
  }
  if (rows.length === 0) return "";
  const more = data.length > rows.length ? `\n… and ${data.length - rows.length} more tables` : "";
  return table(["table", "in the target", "in the backup"], rows, ["left", "right", "right"]) + more;
}

async function rowsThere({ session: { sql } }: Target, name: string): Promise<string> {
  try {
    const [row] = await sql.unsafe<{ rows: string }[]>(`select count(*) as rows from ${name}`);
    return count(Number(row!.rows));
  } catch {
    return "–";
  }
}

/** What is left out, what was odd, and what a person has to do. "" when there is nothing. */
export function describeRest({ leftOut, notes, toDo, missing }: Plan): string {
  const lines = [
    ...byReason(leftOut).map((line) => `${colors.yellow("left out:")} ${line}`),
    ...(missing.extensions.length > 0
      ? [
        `${colors.yellow("left out:")} ${
          missing.extensions.join(", ")
        } and ${missing.entries.length} entries that need them`,
      ]
      : []),
    ...notes.map((note) => `${colors.yellow("note:")} ${note}`),
    ...toDo.map(({ what, sql }) => `${colors.cyan("to do:")} ${what}:\n  ${sql};`),
  ];
  return lines.join("\n");
}

/** One line a reason: an extension may have a hundred functions. */
function byReason(leftOut: Plan["leftOut"]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { what, why } of leftOut) reasons.set(why, [...reasons.get(why) ?? [], what]);
  return [...reasons].map(([why, all]) => `${listed(all)}: ${why}`);
}
