/**
 * Sets owners as a role that is not a superuser: the new owner must be a role that it is a member of and that
 * may create there.
 */
import type { Entry } from "../entry.ts";
import { LARGE_OBJECTS, objectsOf } from "../restore/large_object_group.ts";
import { isPlatformRole } from "../restore_guide/project_entries.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { literal, quoted } from "./sql_text.ts";

/** `ALTER <kind> name OWNER TO` by the entry's own name (pg_backup_archiver.c, _getObjectDescription). */
const BY_NAME = new Set([
  "COLLATION",
  "CONVERSION",
  "DOMAIN",
  "FOREIGN TABLE",
  "SCHEMA",
  "SERVER",
  "STATISTICS",
  "TABLE",
  "TYPE",
  "VIEW",
  "SEQUENCE",
  "MATERIALIZED VIEW",
  "TEXT SEARCH DICTIONARY",
  "TEXT SEARCH CONFIGURATION",
  "PUBLICATION",
  "FOREIGN DATA WRAPPER",
]);
/** For these the DROP statement holds the name with its arguments. */
const BY_DROP = new Set([
  "AGGREGATE",
  "FUNCTION",
  "OPERATOR",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "PROCEDURE",
]);

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

function ownership({ desc, tag, namespace, drop, definition }: Entry, owner: string): string {
  if (desc === LARGE_OBJECTS) {
    return objectsOf(definition).map((oid) => `ALTER LARGE OBJECT ${oid} OWNER TO ${quoted(owner)};\n`).join(
      "",
    );
  }
  const object = BY_NAME.has(desc) && drop
    ? `${desc} ${namespace === null ? "" : `${quoted(namespace)}.`}${quoted(tag)}`
    : desc === "BLOB"
    ? `LARGE OBJECT ${Number(tag)}`
    : BY_DROP.has(desc) && drop
    ? drop.slice("DROP ".length).trimEnd().replace(/;$/, "")
    : null;
  if (object === null) return "";
  const alter = `ALTER ${object} OWNER TO ${quoted(owner)};\n`;
  if (namespace === null) return alter;
  // The new owner needs CREATE on the schema. The schema's own grants may give it, before or after this
  // statement: with several
  // connections there is no order.
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
