/** Large objects of one owner with the same grants: archives from 1.16 on have them in one entry. */
import type { Entry } from "../entry.ts";

export const LARGE_OBJECTS = "BLOB METADATA";

/** Returns their OIDs, which the definition lists, one a line. Throws a SyntaxError for what is not a number. */
export function objectsOf(definition: Entry["definition"]): bigint[] {
  return (definition ?? "").split("\n").filter((oid) => oid !== "").map(BigInt);
}
