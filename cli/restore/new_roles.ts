/** SQL for the roles that a backup names and the target has not: none may log in. */
import { isPlatformRole } from "../../supabase/functions/backup/manifest/project_entries.ts";
import { quoted } from "./roles.ts";
import type { Target } from "./target.ts";

/** Roles of a project that row security does not hold back: what they own, a materialized view for example, counts on it. */
const BYPASS_RLS = new Set(["postgres", "service_role"]);

/** "" when there are none. */
export function createRoles(newRoles: readonly string[], target: Target): string {
  // Who is a member of what is the server's as well. In a project postgres may become each of the user's roles.
  const members = newRoles.includes("postgres")
    ? newRoles.filter((role) => role !== "postgres" && !isPlatformRole(role))
    : [];
  return newRoles.map((role) => {
    const attributes = target.superuser && BYPASS_RLS.has(role) ? " BYPASSRLS" : "";
    const create = `CREATE ROLE ${quoted(role)} NOLOGIN${attributes};\n`;
    // Giving objects to a role takes being its member.
    return target.superuser ? create : `${create}GRANT ${quoted(role)} TO CURRENT_USER;\n`;
  }).join("") + members.map((role) => `GRANT ${quoted(role)} TO postgres;\n`).join("");
}
