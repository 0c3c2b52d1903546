/** Roles and names in SQL that a restore writes. */
import { GRANTEE, unquoted } from "../../supabase/functions/backup/manifest/roles.ts";

/** GRANT and REVOKE commands without those that name one of `roles`. */
export function withoutRoles(commands: string, roles: ReadonlySet<string>): string {
  return commands.replace(
    new RegExp(`^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .*?${GRANTEE.source}\\n?`, "gms"),
    (command) => {
      const [name] = [...command.matchAll(GRANTEE)].map(([, name]) => unquoted(name!));
      return name != null && roles.has(name) ? "" : command;
    },
  );
}

/** Always quoted: right for any name. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text constant of SQL, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}
