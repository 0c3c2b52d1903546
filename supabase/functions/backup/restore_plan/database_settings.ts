/** Settings, grants and the comment of the database itself, which pg_restore applies with --create only. */
import type { Entry } from "../entry.ts";
import { isWhole } from "./context.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

export const restoreDatabaseSettings: PlanStep = ({ archive, target, options }) =>
  target.kind === "supabase" || !target.superuser || !isWhole(options) || options.dataOnly ? {} : {
    after: statements(
      "settings of the database",
      databaseStatements(archive, target.database, options.noOwner),
    ),
  };

/** Returns the same statements for a database of another name. */
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
