/**
 * Sets owners as a role that is not a superuser: the new owner must be a role that it is a member of and that
 * may create there.
 */
import type { Entry } from "../entry.ts";
import { ownerStatement } from "../restore/owner.ts";
import { isPlatformRole } from "../restore_guide/project_entries.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { literal, quoted } from "./sql_text.ts";

/**
 * Kinds that stay with the restoring role: only a superuser may own an event trigger, and the others need rights of
 * their own.
 */
const NOT_GIVEN = new Set(["EVENT TRIGGER", "PROCEDURAL LANGUAGE", "SUBSCRIPTION"]);

export const moveOwners: PlanStep = ({ target }, plan) => {
  if (target.kind !== "supabase" && !target.scratch) return {};
  // Roles of a scratch server are the backup's, whatever their names.
  const mayOwn = (role: string) =>
    target.scratch ? !target.superusers.has(role) && !/^pg_/.test(role) : !isPlatformRole(role);
  const roles = new Set([...plan.newRoles, ...[...target.roles].filter(mayOwn)]);
  roles.delete(target.user);
  const { entries, sql } = ownersApart(plan.entries, roles);
  return { entries, after: statements("owners", sql) };
};

/**
 * Takes owners off entries and returns the statements that set those in `roles` afterwards. Objects of other
 * roles, such as the platform's, belong to the restoring role then.
 */
function ownersApart(
  entries: readonly Entry[],
  roles: ReadonlySet<string>,
): { entries: Entry[]; sql: string } {
  let sql = "";
  const without = entries.map((entry) => {
    if (entry.owner === null || entry.owner === "") return entry;
    if (roles.has(entry.owner)) sql += ownership(entry, entry.owner);
    return { ...entry, owner: null };
  });
  return { entries: without, sql };
}

function ownership(entry: Entry, owner: string): string {
  const { desc, namespace } = entry;
  const statement = NOT_GIVEN.has(desc) ? "" : ownerStatement(entry);
  if (statement === "") return "";
  const alter = `${statement}\n`;
  if (namespace === null) return alter;
  // The new owner needs CREATE on the schema. The schema's own grants may give it, before or after this
  // statement: with several connections there is no order.
  const create = `CREATE ON SCHEMA ${quoted(namespace)}`;
  return `DO $backup_owner$
BEGIN
  IF pg_catalog.has_schema_privilege(${literal(owner)}, ${literal(namespace)}, 'CREATE') THEN
    ${alter}  ELSE
    GRANT ${create} TO ${quoted(owner)};
    ${alter}    REVOKE ${create} FROM ${quoted(owner)};
  END IF;
END;
$backup_owner$;
`;
}
