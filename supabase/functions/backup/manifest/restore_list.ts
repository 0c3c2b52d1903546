/** The list for `pg_restore -L` that lies beside each backup: what goes into another Supabase project, without any tool of ours. */
import type { Entry } from "../toc/entry.ts";
import { type Fated, fatesInProject, FILE_ROWS, MANAGED_ROWS } from "./project_entries.ts";

/** Its name in the backup's folder. */
export const LIST_NAME = "restore.list";

const HEAD =
  `; What of this archive goes into another Supabase project, for pg_restore -L. RESTORE.md says how.
; A line that begins with a semicolon is left out. Each line is an entry: its number, then what pg_restore -l prints of it.`;

/** Users come before what refers to them, whatever the archive's order; pg_restore keeps the list's. */
export function restoreList(entries: readonly Entry[]): string {
  const fates = fatesInProject(entries);
  const rows = fates.filter(({ fate }) => fate === "rows").sort((a, b) => rank(a) - rank(b));
  const others = fates.filter(({ fate }) => fate !== "rows");
  return [
    HEAD,
    "; Rows for tables of the platform",
    ...rows.flatMap(lines),
    "; Your own",
    ...others.flatMap(lines),
    "",
  ]
    .join("\n");
}

function lines(fated: Fated): string[] {
  const why = reason(fated);
  if (why === null) return [line(fated.entry)];
  return why === "" ? [] : [`; ${line(fated.entry)}   -- ${why}`];
}

function rank(fated: Fated): number {
  return MANAGED_ROWS.indexOf(nameOf(fated)) >>> 0;
}

function nameOf({ entry }: Fated): string {
  return `${entry.namespace}.${entry.tag}`;
}

/** Null for an entry that is restored; "" for one that every project has, not worth a line. */
function reason({ entry, fate, why }: Fated): string | null {
  if (fate === "webhook") return "a webhook: it would call its URL at once";
  if (fate === "left out") return why;
  if (nameOf({ entry, fate, why }) === FILE_ROWS) return "only with its files";
  // pg_restore would become the role that granted, which takes a superuser.
  if (entry.definition?.includes("SET SESSION AUTHORIZATION")) {
    return "grants made by another role: grant them again";
  }
  return null;
}

/** As pg_restore -l prints an entry. */
function line({ dumpId, tableoid, oid, desc, namespace, tag, owner }: Entry): string {
  return `${dumpId}; ${tableoid} ${oid} ${desc} ${namespace ?? "-"} ${tag} ${owner ?? ""}`.replace(
    /[\r\n]/g,
    " ",
  ).trimEnd();
}
