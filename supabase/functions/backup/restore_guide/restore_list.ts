/**
 * The list for `pg_restore -L` that lies beside each backup: what goes into another Supabase project, without any tool
 * of ours.
 */
import { type Entry, isBeyondPgDump } from "../entry.ts";
import { visible } from "../visible_text.ts";
import { inOrderOfKeys } from "./key_order.ts";
import { classifyForProject, type EntryDisposition, isOfFiles } from "./project_entries.ts";

const HEAD =
  `; What of this archive goes into another Supabase project, for pg_restore -L. RESTORE.md says how.
; A line that begins with a semicolon is left out. Each line is an entry: its number, then what pg_restore -l prints of it.`;

/**
 * Users come before what refers to them, whatever the archive's order; pg_restore keeps the list's. Of the platform's
 * tables only those with rows are listed, by `mayHaveRows`: the target may lack the others.
 */
export function restoreList(
  entries: readonly Entry[],
  mayHaveRows: (entry: Entry) => boolean = () => true,
): string {
  const dispositions = classifyForProject(entries.filter((entry) => !isBeyondPgDump(entry)));
  const ofRows = new Map(
    dispositions.filter(({ disposition, entry }) => disposition === "rows" && mayHaveRows(entry)).map((
      item,
    ) => [item.entry, item]),
  );
  const rows = inOrderOfKeys([...ofRows.keys()], entries).map((entry) => ofRows.get(entry)!);
  const others = dispositions.filter(({ disposition }) => disposition !== "rows");
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

function lines(item: EntryDisposition): string[] {
  const why = reason(item);
  if (why === null) return [line(item.entry)];
  return why === "" ? [] : [`; ${line(item.entry)}   -- ${visible(why)}`];
}

/** Returns null for an entry that is restored; "" for one that every project has, not worth a line. */
function reason({ entry, disposition, why }: EntryDisposition): string | null {
  if (disposition === "webhook") return "a webhook: it would call its URL at once";
  if (disposition === "left out") return why;
  if (entry.desc === "TABLE DATA" && isOfFiles(entry)) return "only with its files";
  // pg_restore would become the role that granted, which takes a superuser.
  if (entry.definition?.includes("SET SESSION AUTHORIZATION")) {
    return "grants made by another role: grant them again";
  }
  return null;
}

/**
 * As pg_restore -l prints an entry, with what a terminal would obey as escapes; pg_restore -L reads the number only.
 */
function line({ dumpId, tableoid, oid, desc, namespace, tag, owner }: Entry): string {
  const text = `${dumpId}; ${tableoid} ${oid} ${desc} ${namespace ?? "-"} ${tag} ${owner ?? ""}`;
  return visible(text.replace(/[\r\n]/g, " ")).trimEnd();
}
