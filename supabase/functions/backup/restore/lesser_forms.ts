/** Entries with one thing less, for a target that lacks a role, a tablespace or an access method. */
import type { Entry } from "../entry.ts";
import { qualified, quoted } from "./names.ts";
import { ownerStatement } from "./owner.ts";

export interface LesserForm {
  entry: Entry;
  how: string;
  mend: string[];
}

/** Returns what may be tried in place of an entry, the least loss first. */
export function lesserForms(entry: Entry): LesserForm[] {
  const { namespace, tag, tablespace, tableam, owner, desc } = entry;
  const losses: { without: Partial<Entry>; how: string; mend: string }[] = [];
  const ownership = ownerStatement(entry);
  if (ownership !== "") {
    losses.push({ without: { owner: null }, how: `it does not belong to ${owner}`, mend: ownership });
  }
  const kind = desc === "INDEX" ? "index" : "table";
  if (tablespace) {
    losses.push({
      without: { tablespace: "" },
      how: `it is not in tablespace ${tablespace}`,
      mend: `alter ${kind} ${qualified(namespace, tag)} set tablespace ${quoted(tablespace)};`,
    });
  }
  if (tableam && tableam !== "heap") {
    losses.push({
      without: { tableam: null },
      how: `its access method is not ${tableam}`,
      mend: `alter table ${qualified(namespace, tag)} set access method ${quoted(tableam)};`,
    });
  }
  const together = losses.length > 1 ? [losses] : [];
  return [...losses.map((loss) => [loss]), ...together].map((some) => ({
    entry: some.reduce((form, { without }) => ({ ...form, ...without }), entry),
    how: some.map(({ how }) => how).join(", "),
    mend: some.map(({ mend }) => mend),
  }));
}
