/** The order of objects before their dependencies are considered (pg_dump_sort.c, DOTypeNameCompare). */
import { type CatalogObject, type Kind, KINDS } from "../catalog/object.ts";

/**
 * Kinds in the order of an archive; those of one line are sorted among each other. Casts come early because views
 * that use a cast are recorded as depending on its function.
 */
const PRIORITIES: readonly (readonly Kind[])[] = [
  ["schema"],
  ["language"],
  ["collation"],
  ["transform"],
  ["extension"],
  ["type", "shell type"],
  ["cast"],
  ["function"],
  ["aggregate"],
  ["access method"],
  ["operator"],
  ["operator class", "operator family"],
  ["conversion"],
  ["text search parser"],
  ["text search template"],
  ["text search dictionary"],
  ["text search configuration"],
  ["foreign data wrapper"],
  ["foreign server"],
  ["table"],
  ["table attach"],
  ["dummy type"],
  ["default"],
  ["large object"],
  ["pre-data boundary"],
  ["table data"],
  ["sequence set"],
  ["large object group"],
  ["large object data"],
  ["post-data boundary"],
  ["constraint"],
  ["index"],
  ["index attach"],
  ["statistics"],
  ["rule"],
  ["trigger"],
  ["fk constraint"],
  ["policy"],
  ["publication"],
  ["publication table"],
  ["publication schema"],
  ["subscription"],
  ["default acl"],
  ["event trigger"],
  ["materialized view refresh"],
];

const PRIORITY = new Map(PRIORITIES.flatMap((kinds, index) => kinds.map((kind) => [kind, index] as const)));
const KIND_NUMBER = new Map(KINDS.map((kind, index) => [kind, index]));

/** Returns the section of a kind: before the data, with it or after it. */
export function sectionOf(kind: Kind): "pre-data" | "data" | "post-data" {
  const priority = PRIORITY.get(kind)!;
  if (priority < PRIORITY.get("pre-data boundary")!) return "pre-data";
  return priority < PRIORITY.get("post-data boundary")! ? "data" : "post-data";
}

/** Compares by priority, schema (none is last), name, kind, then by what the kind has beyond. */
export function compare(a: CatalogObject, b: CatalogObject): number {
  return PRIORITY.get(a.kind)! - PRIORITY.get(b.kind)! ||
    compareNamespaces(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    KIND_NUMBER.get(a.kind)! - KIND_NUMBER.get(b.kind)! ||
    compareKeys(a.key, b.key) ||
    a.oid - b.oid;
}

function compareNamespaces(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return compareText(a, b);
}

function compareKeys(a: CatalogObject["key"], b: CatalogObject["key"]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a[index]!, b[index]!];
    const difference = typeof left === "number" && typeof right === "number"
      ? left - right
      : compareText(String(left), String(right));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Compares as strcmp does UTF-8: by code point. JavaScript's own order puts surrogates before U+E000. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let index = 0;
  while (index < shorter && a.charCodeAt(index) === b.charCodeAt(index)) {
    index++;
  }
  if (index === shorter) return a.length - b.length;
  return codePointRank(a.charCodeAt(index)) -
    codePointRank(b.charCodeAt(index));
}

function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
