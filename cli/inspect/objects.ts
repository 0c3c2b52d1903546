/** The objects of a backup as a person knows them: grants, comments and positions belong to their object. */
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { type StoredTable, tablesOf } from "../../supabase/functions/backup/inspect/tables.ts";
import type { OpenBackup } from "./open_backup.ts";

export interface StoredObject {
  /** Its dump id. */
  id: number;
  /** In pg_dump's words. */
  type: string;
  schema: string | null;
  name: string;
  owner: string | null;
  /** The table that it belongs to, of an index, a policy and the like. */
  parent: number | null;
  /** Of tables: rows and bytes of COPY text, where the manifest says so. */
  rows?: number;
  bytes?: number;
  /** Of tables with rows in the backup. */
  columns?: string[];
  key?: string[] | null;
}

/** Entries that are a part of another one's definition. */
const PART = new Set([
  "ACL",
  "COMMENT",
  "SECURITY LABEL",
  "SEQUENCE SET",
  "SEQUENCE OWNED BY",
  "ROW SECURITY",
  "DEFAULT",
  "TABLE ATTACH",
  "INDEX ATTACH",
]);

/** Entries of a table with a name of their own. */
const OF_TABLE = new Set([
  "INDEX",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "FK CONSTRAINT",
  "TRIGGER",
  "POLICY",
  "RULE",
  "STATISTICS",
]);

const HIDDEN = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "TABLE DATA",
  "MATERIALIZED VIEW DATA",
  "BLOB",
  "BLOB METADATA",
]);

/** Returns the objects of a backup in archive order. */
export function objectsOf({ archive: { entries }, manifest }: OpenBackup): StoredObject[] {
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const tables = new Map(tablesOf(entries).map((table) => [`${table.schema}\0${table.name}`, table]));
  const sizes = new Map(manifest?.tables.map((table) => [`${table.schema}\0${table.name}`, table]));
  return entries.filter(({ desc }) => !PART.has(desc) && !HIDDEN.has(desc)).map((entry) => {
    const { dumpId: id, desc: type, namespace: schema, tag, owner } = entry;
    const parent = OF_TABLE.has(type) ? parentOf(entry, byId) : undefined;
    const table = type === "TABLE" ? tables.get(`${schema}\0${tag}`) : undefined;
    const size = table && sizes.get(`${schema}\0${tag}`);
    return {
      id,
      type,
      schema,
      owner,
      parent: parent?.dumpId ?? null,
      name: parent && tag.startsWith(`${parent.tag} `) ? tag.slice(parent.tag.length + 1) : tag,
      ...(table ? { columns: table.columns, key: table.key } : {}),
      ...(size ? { rows: size.rows, bytes: size.rawBytes } : {}),
    };
  });
}

/** Returns the relation that an entry belongs to. */
function parentOf(
  { namespace, tag, dependencies }: Entry,
  byId: ReadonlyMap<number, Entry>,
): Entry | undefined {
  const relations = dependencies.map((id) => byId.get(id)).filter((entry) =>
    entry !== undefined && /^(TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE)$/.test(entry.desc) &&
    entry.namespace === namespace
  );
  return relations.find((entry) => tag.startsWith(`${entry!.tag} `)) ?? relations[0];
}

/**
 * Returns the SQL of an object with its grants, comments and the like, and of a table with its indexes, keys, policies.
 */
export function definitionOf(entries: readonly Entry[], id: number): string {
  const own = new Set([id]);
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  for (const entry of entries) {
    if (OF_TABLE.has(entry.desc) && parentOf(entry, byId)?.dumpId === id) own.add(entry.dumpId);
  }
  for (const { desc, dumpId, dependencies } of entries) {
    // A partition is attached by an entry of the partition, which comes first among what that needs.
    const needed = /ATTACH$/.test(desc) ? dependencies.slice(0, 1) : dependencies;
    if (PART.has(desc) && needed.some((one) => own.has(one))) own.add(dumpId);
  }
  return entries.filter(({ dumpId }) => own.has(dumpId))
    .map(({ definition }) => (definition ?? "").trim()).filter((text) => text !== "").join("\n\n");
}

/** Returns the objects that a name means: `schema.name`, or `name`; of functions without their arguments as well. */
export function objectsNamed(objects: readonly StoredObject[], wanted: string): StoredObject[] {
  const isMeant = (name: string) => name === wanted || name.replace(/\(.*\)$/s, "") === wanted;
  const full = objects.filter(({ schema, name }) => schema !== null && isMeant(`${schema}.${name}`));
  return full.length > 0 ? full : objects.filter(({ name }) => isMeant(name));
}

/** Returns names that are like one that was not found. */
export function similarNames(
  objects: readonly { schema: string | null; name: string }[],
  wanted: string,
): string[] {
  const [schema, name] = wanted.includes(".") ? wanted.split(".", 2) : [null, wanted];
  return objects.filter((object) => object.name === name || object.schema === schema)
    .map(({ schema, name }) => schema === null ? name : `${schema}.${name}`).slice(0, 12);
}

/** Returns the table that a name means, `schema.name` or one of `public`; null where the backup has no rows of it. */
export function tableNamed(entries: readonly Entry[], wanted: string): StoredTable | null {
  const tables = tablesOf(entries);
  return tables.find(({ schema, name }) => `${schema}.${name}` === wanted) ??
    tables.find(({ schema, name }) => schema === "public" && name === wanted) ?? null;
}
