/** `ALTER … OWNER TO`, which an archive has not as text (pg_backup_archiver.c, _getObjectDescription). */
import type { Entry } from "../entry.ts";
import { LARGE_OBJECTS, objectsOf } from "./large_object_group.ts";
import { qualified, quoted } from "./names.ts";

/** Kinds that are named by their tag. */
const BY_TAG = new Set([
  "COLLATION",
  "CONVERSION",
  "DOMAIN",
  "EVENT TRIGGER",
  "FOREIGN DATA WRAPPER",
  "FOREIGN TABLE",
  "MATERIALIZED VIEW",
  "PROCEDURAL LANGUAGE",
  "PUBLICATION",
  "SCHEMA",
  "SEQUENCE",
  "SERVER",
  "STATISTICS",
  "SUBSCRIPTION",
  "TABLE",
  "TEXT SEARCH CONFIGURATION",
  "TEXT SEARCH DICTIONARY",
  "TYPE",
  "VIEW",
]);

/** Kinds whose signature stands in the statement that drops them. */
const BY_DROP = new Set([
  "AGGREGATE",
  "FUNCTION",
  "OPERATOR",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "PROCEDURE",
]);

/**
 * Returns the statement that makes the entry's owner own it, one a line for a group of large objects, or "" where the
 * owner needs none.
 */
export function ownerStatement({ desc, namespace, tag, owner, definition, drop }: Entry): string {
  if (!owner) return "";
  const to = `OWNER TO ${quoted(owner)};`;
  if (desc === LARGE_OBJECTS) {
    return objectsOf(definition).map((oid) => `ALTER LARGE OBJECT ${oid} ${to}`).join("\n");
  }
  // Without a statement that drops it an object belongs to another, as the sequence of an identity column does.
  if (!drop) return "";
  if (desc === "BLOB") return `ALTER LARGE OBJECT ${BigInt(tag)} ${to}`;
  if (BY_TAG.has(desc)) return `ALTER ${desc} ${qualified(namespace, tag)} ${to}`;
  if (!BY_DROP.has(desc)) return "";
  const [, object] = /^DROP ([\s\S]*?);?\s*$/.exec(drop) ?? [];
  return object === undefined ? "" : `ALTER ${object} ${to}`;
}
