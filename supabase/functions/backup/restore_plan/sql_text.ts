/** Names, constants and grants in SQL that a restore writes. */
import { GRANTEE, unquoted } from "../restore_guide/roles.ts";

export { quoted } from "../restore/names.ts";

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

/** A text constant of SQL, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}
