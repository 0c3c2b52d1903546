/** Compares the definitions of two states of a database. */
import { sameMeaning } from "../compare/meaning.ts";
import { type Entry, EXTENSION_DATA, EXTENSION_SEQUENCE, ROLES } from "../entry.ts";

export interface DefinitionDifference {
  state: "added" | "removed" | "changed";
  /** Object type in pg_dump's words. */
  type: string;
  schema: string | null;
  name: string;
  before: string | null;
  after: string | null;
}

/** The same in every archive, or about rows. */
const IGNORED = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "TABLE DATA",
  "BLOBS",
  "MATERIALIZED VIEW DATA",
  EXTENSION_DATA,
  EXTENSION_SEQUENCE,
  ROLES,
  "BLOB",
  "BLOB METADATA",
]);

/** Returns what differs: in the order of the second state, then what it lacks. */
export function compareDefinitions(
  before: readonly Entry[],
  after: readonly Entry[],
): DefinitionDifference[] {
  const left = Map.groupBy(before.filter(({ desc }) => !IGNORED.has(desc)), keyOf);
  const differences: DefinitionDifference[] = [];
  for (const entry of after) {
    if (IGNORED.has(entry.desc)) continue;
    const like = left.get(keyOf(entry)) ?? [];
    const match = like.findIndex((other) => sameMeaning(other, entry) && sameOwner(other, entry));
    // Several entries may share a name; the first that is left is the one that changed.
    const [other] = like.splice(Math.max(0, match), 1);
    if (match >= 0) continue;
    const names = other !== undefined && !sameOwner(other, entry);
    differences.push({
      state: other === undefined ? "added" : "changed",
      ...nameOf(entry),
      before: other === undefined ? null : textOf(other, names),
      after: textOf(entry, names),
    });
  }
  for (const entry of [...left.values()].flat()) {
    differences.push({ state: "removed", ...nameOf(entry), before: textOf(entry, false), after: null });
  }
  return differences;
}

/** Default privileges are told apart by their role only. */
function keyOf({ desc, namespace, tag, owner }: Entry): string {
  return JSON.stringify([desc, namespace, tag, desc === "DEFAULT ACL" ? owner : ""]);
}

/** Grants and comments have their object's owner. */
function sameOwner(one: Entry, two: Entry): boolean {
  return one.owner === two.owner || /^(ACL|DEFAULT ACL|COMMENT|SECURITY LABEL)$/.test(one.desc);
}

function nameOf({ desc, namespace, tag }: Entry): Pick<DefinitionDifference, "type" | "schema" | "name"> {
  return { type: desc, schema: namespace, name: tag };
}

function textOf({ definition, owner }: Entry, withOwner: boolean): string {
  const text = (definition ?? "").trim();
  return withOwner ? `-- Owner: ${owner}\n${text}` : text;
}
