/**
 * Roles belong to the server; what a project made of them, settings of the API's roles among it, is a part of the
 * application.
 */
import { isInFreshProject } from "../restore_guide/project_entries.ts";
import { type RoleStatement, roleStatements } from "../restore_guide/roles_sql.ts";
import { isWhole, type PlanContext } from "./context.ts";
import type { PlanStep, Statement } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

/** A drill, and a part of a backup, leave the server's roles alone. */
function restoresRoles({ options }: PlanContext): boolean {
  return options.settle && isWhole(options) && !options.noOwner && !options.dataOnly;
}

/** Returns the names of the roles that people made, whether the archive needs them or not. */
export function ownRoles(context: PlanContext): string[] {
  const roles = restoresRoles(context) ? context.roles.wanted?.roles ?? [] : [];
  return roles.filter(({ name, superuser }) => !superuser && !isInFreshProject(name)).map(({ name }) => name);
}

/**
 * On a server of one's own, roles that exist already are others' as well: what they lack is a statement for a person.
 * So is SUPERUSER, and LOGIN, which is useless without a password.
 */
export const restoreRoles: PlanStep = (context, { newRoles }) => {
  const { target, roles: { wanted, there } } = context;
  if (wanted === null || !restoresRoles(context)) return {};
  const exist = new Set([...target.roles, ...newRoles]);
  const created = new Set(newRoles);
  // The restoring role is a member of what it creates already, and may not grant that to itself.
  const possible = roleStatements(wanted, there, target.version).filter(({ kind, role, needs }) =>
    needs.every((name) => exist.has(name) || name.startsWith("pg_")) &&
    (kind !== "membership" || role !== target.user)
  );
  const isDone = ({ role, sql }: RoleStatement) =>
    !/ SUPERUSER;$/.test(sql) && (created.has(role) || target.kind === "supabase");
  const login = wanted.roles.filter(({ name, login }) =>
    login && created.has(name) && !isInFreshProject(name)
  );
  return {
    roles: possible.filter(isDone).map(asStatement),
    toDo: [
      ...possible.filter((statement) => !isDone(statement)).map(asStatement),
      ...login.map(({ name }) => ({
        what: `let role ${name} log in again`,
        sql: `alter role ${quoted(name)} login password '…'`,
      })),
    ],
  };
};

function asStatement({ what, sql }: RoleStatement): Statement {
  return { what: `role ${what}`, sql };
}
