/** What an archive says of the database itself, which pg_restore applies with --create only: settings, grants, comment. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { quoted } from "./roles.ts";

/** The same statements for a database of another name. */
export function databaseStatements(
  entries: readonly Entry[],
  database: string,
  noPrivileges: boolean,
): string {
  const created = entries.find(({ desc }) => desc === "DATABASE");
  const [, name] = /^CREATE DATABASE ("(?:[^"]|"")+"|\S+) /.exec(created?.definition ?? "") ?? [];
  if (name === undefined) return "";
  const wanted = ({ desc, tag }: Entry) =>
    desc === "DATABASE PROPERTIES" ||
    (/^DATABASE /.test(tag) && (desc === "COMMENT" || (desc === "ACL" && !noPrivileges)));
  return entries.filter(wanted).map(({ definition }) =>
    (definition ?? "").split("\n").map((line) =>
      /^(ALTER|GRANT|REVOKE|COMMENT) /.test(line)
        ? line.replace(` DATABASE ${name} `, () => ` DATABASE ${quoted(database)} `)
        : line
    ).join("\n")
  ).join("");
}
