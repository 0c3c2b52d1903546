/** Ownership for a role that is not a superuser: it may give objects to roles that it is a member of, and that may create there. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { literal, quoted } from "./roles.ts";

/** `ALTER <kind> name OWNER TO` by the entry's own name (pg_backup_archiver.c, _getObjectDescription). */
const BY_NAME = new Set([
  ...[
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
  ],
  ...[
    "MATERIALIZED VIEW",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH CONFIGURATION",
    "PUBLICATION",
    "FOREIGN DATA WRAPPER",
  ],
]);
/** The name with its arguments stands in what drops it. */
const BY_DROP = new Set([
  "AGGREGATE",
  "FUNCTION",
  "OPERATOR",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "PROCEDURE",
]);

/**
 * Takes owners off entries and answers the statements that set those in `roles` afterwards. What belongs to anybody else, the
 * platform for example, becomes the restoring role's.
 */
export function ownersApart(
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

function ownership({ desc, tag, namespace, drop }: Entry, owner: string): string {
  const object = BY_NAME.has(desc) && drop
    ? `${desc} ${namespace === null ? "" : `${quoted(namespace)}.`}${quoted(tag)}`
    : BY_DROP.has(desc) && drop
    ? drop.slice("DROP ".length).trimEnd().replace(/;$/, "")
    : null;
  if (object === null) return "";
  const alter = `ALTER ${object} OWNER TO ${quoted(owner)};\n`;
  if (namespace === null) return alter;
  // Owning something in a schema takes the right to create there, which the role may have by the schema's own grants: those come
  // after this with one connection, and may have come before it with several.
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
