/** Selects the entries that belong to the requested tables or schemas. */
import type { Wanted } from "./context.ts";
import { BackupError } from "../errors.ts";
import { type Entry, EXTENSION_DATA, EXTENSION_SEQUENCE } from "../entry.ts";
import { LARGE_OBJECTS } from "../restore/large_object_group.ts";
import { extensionSchema } from "./extensions.ts";
import type { PlanStep } from "./plan_step.ts";

const HEADING = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH"]);
export const RELATIONS = new Set(["TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"]);

/** Entries of a table whose tag is the table's name, or begins with it. */
const OF_TABLE = new Set(
  [
    "TABLE DATA",
    "ROW SECURITY",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "FK CONSTRAINT",
    "DEFAULT",
    "TRIGGER",
    "POLICY",
    "RULE",
  ],
);
/** Entries of a table with a name of their own: they depend on it. */
const ON_TABLE = new Set(["INDEX", "SEQUENCE", "STATISTICS", "MATERIALIZED VIEW DATA"]);
/** Entries that go with whatever they depend on. */
export const FOLLOWERS = new Set(["COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE SET", "SEQUENCE OWNED BY"]);
/** Kinds that a table may need and that are not its own. */
const NEEDED = new Set([
  "SCHEMA",
  "EXTENSION",
  "TYPE",
  "SHELL TYPE",
  "DOMAIN",
  "FUNCTION",
  "PROCEDURE",
  "COLLATION",
]);

const DATA = new Set([
  "SEQUENCE SET",
  "BLOB",
  LARGE_OBJECTS,
  "BLOBS",
  "TABLE DATA",
  EXTENSION_DATA,
  EXTENSION_SEQUENCE,
]);

export const selectEntries: PlanStep = ({ archive, options, existing }) => ({
  entries: select(archive, options, existing.has),
});

/**
 * Returns them in archive order, with what they need and the target lacks, by `has`. Throws BackupError for a
 * table or schema that the archive does not have, with similar names.
 */
export function select(entries: readonly Entry[], wanted: Wanted, has: (entry: Entry) => boolean): Entry[] {
  const some = wanted.tables.length + wanted.schemas.length > 0 ? ofNames(entries, wanted, has) : entries;
  return some.filter((entry) => {
    if (HEADING.has(entry.desc)) return true;
    if (wanted.schemaOnly) return !DATA.has(entry.desc);
    return !wanted.dataOnly || DATA.has(entry.desc);
  });
}

function ofNames(entries: readonly Entry[], wanted: Wanted, has: (entry: Entry) => boolean): Entry[] {
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const chosen = named(entries, wanted);
  for (const entry of entries) {
    const lost = entry.desc === "EXTENSION" && !has(entry) &&
      wanted.schemas.includes(extensionSchema(entry) ?? "");
    if (lost) chosen.add(entry.dumpId);
  }
  if (wanted.withDependents) {
    for (const { dumpId } of missingDependents(entries, wanted, has)) chosen.add(dumpId);
  }
  // What they need, directly or not.
  const open = [...chosen];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const needed of byId.get(id)!.dependencies) {
      const entry = byId.get(needed);
      if (entry === undefined || chosen.has(needed) || !NEEDED.has(entry.desc) || has(entry)) continue;
      chosen.add(needed);
      open.push(needed);
    }
  }
  for (const { dumpId, desc, dependencies } of entries) {
    if (FOLLOWERS.has(desc) && dependencies.some((id) => chosen.has(id))) chosen.add(dumpId);
  }
  return entries.filter(({ dumpId, desc }) => HEADING.has(desc) || chosen.has(dumpId));
}

function named(entries: readonly Entry[], { schemas, tables }: Wanted): Set<number> {
  return new Set([
    ...schemas.flatMap((schema) => ofSchema(entries, schema)),
    ...tables.flatMap((table) => ofTable(entries, table)),
  ]);
}

/**
 * Returns entries that depend on the requested ones, are not selected with them, and are missing from the
 * target although their own tables exist.
 */
export function missingDependents(
  entries: readonly Entry[],
  wanted: Wanted,
  has: (entry: Entry) => boolean,
): Entry[] {
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const ids = named(entries, wanted);
  for (const id of ids) if (byId.get(id)!.desc === "SCHEMA") ids.delete(id);
  return entries.filter((entry) => {
    const { dumpId, desc, dependencies } = entry;
    if (ids.has(dumpId) || FOLLOWERS.has(desc) || DATA.has(desc) || desc === "TABLE" || desc === "SEQUENCE") {
      return false;
    }
    if (!dependencies.some((id) => ids.has(id)) || has(entry)) return false;
    const others = dependencies.map((id) => byId.get(id)).filter((other) => other && !ids.has(other.dumpId));
    if (others.some((other) => RELATIONS.has(other!.desc) && !has(other!))) return false;
    ids.add(dumpId);
    return true;
  });
}

function ofSchema(entries: readonly Entry[], schema: string): number[] {
  const found = entries.filter(({ namespace, desc, tag }) =>
    namespace === schema || (desc === "SCHEMA" && tag === schema) ||
    (FOLLOWERS.has(desc) && tag === `SCHEMA ${schema}`)
  );
  if (found.length > 0) return found.map(({ dumpId }) => dumpId);
  const all = new Set(entries.map(({ namespace }) => namespace).filter((name) => name !== null));
  throw new BackupError(
    "bad_request",
    `The backup has no schema "${schema}"`,
    `It has ${[...all].sort().join(", ")}.`,
  );
}

function ofTable(entries: readonly Entry[], name: string): number[] {
  const dot = name.indexOf(".");
  const [schema, table] = dot < 0 ? ["public", name] : [name.slice(0, dot), name.slice(dot + 1)];
  const relation = entries.find(({ namespace, tag, desc }) =>
    RELATIONS.has(desc) && namespace === schema && tag === table
  );
  const ofExtension = entries.find(({ desc, namespace, tag }) =>
    desc === EXTENSION_DATA && namespace === schema && tag === table
  );
  if (ofExtension !== undefined) return [ofExtension.dumpId];
  if (relation === undefined) {
    const like = entries.filter(({ desc, tag, namespace }) =>
      desc === "TABLE" && (namespace === schema || tag === table)
    ).map(({ namespace, tag }) => `${namespace}.${tag}`);
    throw new BackupError(
      "bad_request",
      `The backup has no table "${schema}.${table}"`,
      like.length === 0 ? "Names are schema.table, not quoted." : `It has ${like.slice(0, 20).join(", ")}.`,
    );
  }
  return ofRelation(entries, relation);
}

/**
 * Returns the ids of a relation's own entries, itself included, and of its partitions, which hold its rows.
 */
export function ofRelation(
  entries: readonly Entry[],
  { dumpId, namespace: schema, tag: table }: Entry,
): number[] {
  const ids = new Set([dumpId]);
  for (const { desc, tag, namespace, dumpId: id, dependencies } of entries) {
    if (!dependencies.includes(dumpId)) continue;
    if (desc === "TABLE ATTACH" && dependencies[1] === dumpId) {
      const partition = entries.find((entry) => entry.dumpId === dependencies[0])!;
      for (const of of [id, ...ofRelation(entries, partition)]) ids.add(of);
    }
    if (namespace !== schema) continue;
    if (ON_TABLE.has(desc) || (OF_TABLE.has(desc) && (tag === table || tag.startsWith(`${table} `)))) {
      ids.add(id);
    }
  }
  for (const { desc, dumpId: id, dependencies } of entries) {
    if (desc === "INDEX ATTACH" && dependencies.every((needed) => ids.has(needed))) ids.add(id);
  }
  return [...ids];
}
