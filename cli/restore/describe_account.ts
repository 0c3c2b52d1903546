/** What became of a restore, on a terminal. */
import type { Account, Change, LeftOut } from "../../supabase/functions/backup/restore/account.ts";
import { summaryOf } from "../../supabase/functions/backup/restore/account_markdown.ts";
import { sqlLines } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { adviceOn } from "./pg_error_hints.ts";

/** More of them fill a terminal; the report has all. */
const SHOWN = 20;

export function describeAccount(account: Account): string[] {
  const { changed, leftOut, aside, notes } = account;
  return [
    summaryOf(account),
    ...shown(
      changed,
      "changed",
      (change) => [`${change.entry}: ${change.how}`, `  ${change.why}`, ...remedies(change)],
    ),
    ...shown(
      leftOut,
      "left out",
      (item) => [`${item.entry}: ${item.why}${adviceFor(item)}`, ...remedies(item)],
    ),
    ...shown(aside, "rows aside", ({ table, rows, why, file }) => [
      `${table}: ${rows} rows${file === null ? "" : ` in ${file}`}`,
      `  ${why}`,
    ]),
    ...shown(notes, "note", (note) => [note]),
  ];
}

function shown<Item>(items: readonly Item[], label: string, lines: (item: Item) => string[]): string[] {
  const more = items.length > SHOWN ? [`${colors.yellow(`${label}:`)} and ${items.length - SHOWN} more`] : [];
  return items.slice(0, SHOWN).flatMap((item) => {
    const [first, ...rest] = lines(item);
    return [`${colors.yellow(`${label}:`)} ${first}`, ...rest];
  }).concat(more);
}

function remedies({ find, mend }: Pick<Change, "find" | "mend">): string[] {
  return [
    ...(find === undefined ? [] : ["  what is in the way:", ...statement(find)]),
    ...(mend ?? []).flatMap((sql, index) => [...(index === 0 ? ["  to mend it:"] : []), ...statement(sql)]),
  ];
}

function statement(sql: string): string[] {
  return sqlLines(sql.trimEnd().replace(/;$/, "")).map((line) => `  ${line}`);
}

function adviceFor({ entry, why, because }: LeftOut): string {
  return because === undefined ? adviceOn(entry, why) : "";
}
