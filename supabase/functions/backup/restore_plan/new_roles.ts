/** Creates the roles that a backup names and the target lacks, without login. */
import { isPlatformRole } from "../restore_guide/project_entries.ts";
import { rolesNamed } from "../restore_guide/roles.ts";
import type { TargetFacts } from "./context.ts";
import { ownRoles } from "./restore_roles.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

/**
 * Roles of a project that bypass row security, which objects that they own rely on, such as materialized
 * views.
 */
const BYPASS_RLS = new Set(["postgres", "service_role"]);

/** Roles belong to the server, so no archive has them. */
export const addRoles: PlanStep = (context, { entries, webhooks }) => {
  const { target, options } = context;
  const isProject = target.kind === "supabase";
  const named = rolesNamed([...entries, ...webhooks], { owners: !options.noOwner });
  const lacking = [...new Set([...named, ...ownRoles(context)])].filter((role) => !target.roles.has(role));
  const newRoles = lacking.filter((role) => !isProject || !isPlatformRole(role)).sort();
  return {
    newRoles,
    unknownRoles: new Set(lacking.filter((role) => !newRoles.includes(role))),
    before: statements("roles", createRoles(newRoles, target)),
  };
};

/** Returns SQL that creates them; "" when there are none. */
export function createRoles(newRoles: readonly string[], target: Pick<TargetFacts, "superuser">): string {
  // Memberships belong to the server as well. In a project postgres is a member of each of the user's roles.
  const members = newRoles.includes("postgres")
    ? newRoles.filter((role) => role !== "postgres" && !isPlatformRole(role))
    : [];
  return newRoles.map((role) => {
    const attributes = target.superuser && BYPASS_RLS.has(role) ? " BYPASSRLS" : "";
    const create = `CREATE ROLE ${quoted(role)} NOLOGIN${attributes};\n`;
    // Only a member of a role can give objects to it.
    return target.superuser ? create : `${create}GRANT ${quoted(role)} TO CURRENT_USER;\n`;
  }).join("") + members.map((role) => `GRANT ${quoted(role)} TO postgres;\n`).join("");
}
