/** The account of a restore as a document, for the person who has to mend what did not come back as it was. */
import { codeSpan, markdown, visibleSql } from "../visible_text.ts";
import type { Account, Change, LeftOut } from "./account.ts";

/** Returns the counts on one line. */
export function summaryOf({ asInBackup, changed, leftOut, rows, aside }: Account): string {
  const outside = aside.reduce((sum, { rows }) => sum + rows, 0);
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    `${number(asInBackup)} as in the backup`,
    `${number(changed.length)} changed`,
    `${number(leftOut.length)} left out`,
    `${number(rows)} rows in${outside === 0 ? "" : `, ${number(outside)} aside`}`,
  ].join(" · ");
}

/** Returns a document in Markdown. */
export function accountDocument(account: Account, title: string): string {
  const { changed, leftOut, aside, notes } = account;
  return [
    `# ${markdown(title)}`,
    markdown(summaryOf(account)),
    ...section("Changed", changed.map(changeText)),
    ...section("Left out", leftOut.map(leftOutText)),
    ...section(
      "Rows aside",
      aside.map(({ table, rows, why, file }) =>
        `${codeSpan(table)}: ${rows} rows${file === null ? "" : `, in ${codeSpan(file)}`}. The server says: ${
          markdown(why)
        }`
      ),
    ),
    ...section("Notes", notes.map((note) => markdown(note))),
  ].join("\n\n") + "\n";
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, items.map((item) => `- ${item}`).join("\n\n")];
}

function changeText(change: Change): string {
  return `${codeSpan(change.entry)}: ${markdown(change.how)}. The server says: ${markdown(change.why)}${
    remedies(change)
  }`;
}

function leftOutText(item: LeftOut): string {
  return `${codeSpan(item.entry)}: ${markdown(item.why)}${remedies(item)}`;
}

function remedies({ find, mend }: Pick<Change, "find" | "mend">): string {
  return (find === undefined ? "" : `\n\n  What is in the way:\n\n${fenced(find)}`) +
    (mend === undefined || mend.length === 0 ? "" : `\n\n  To mend it:\n\n${fenced(mend.join("\n"))}`);
}

/** A fence that nothing inside can end. */
function fenced(sql: string): string {
  const longest = Math.max(2, ...[...sql.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const lines = [`${fence}sql`, ...visibleSql(sql).split("\n"), fence];
  return lines.map((line) => `  ${line}`).join("\n");
}
