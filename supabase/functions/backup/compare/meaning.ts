/**
 * Compares definitions without what means nothing: orders that the server chooses, and rights that owners
 * have anyway.
 */
import type { Entry } from "../entry.ts";
import { GRANTEE, unquoted } from "../restore_guide/roles.ts";

/** Returns true where both define the object alike. */
export function sameMeaning(entry: Entry, other: Entry): boolean {
  const [one, two] = meaningsOf(entry, other);
  return one === two;
}

/** Returns both definitions in the form in which they are compared. */
export function meaningsOf(entry: Entry, other: Entry): [string, string] {
  // Members of an extension belong to the role that creates it, and their grants say how these differ from an
  // owner's.
  const owners = entry.desc === "ACL" && entry.owner !== other.owner ? [entry.owner, other.owner] : [];
  return [meaningOf(entry, owners), meaningOf(other, owners)];
}

function meaningOf({ desc, definition }: Entry, owners: readonly (string | null)[]): string {
  const text = definition ?? "";
  switch (desc) {
    // Listed in the order in which they were given.
    case "ACL":
    case "DEFAULT ACL":
      return text.split("\n").filter((line) => !isAbout(line, owners)).sort().join("\n");
    // Roles are listed in the order of the server's own table of them.
    case "POLICY":
      return text.replace(POLICY_ROLES, (_, head: string, roles: string) => head + sortedNames(roles));
    default:
      return text;
  }
}

function isAbout(line: string, owners: readonly (string | null)[]): boolean {
  if (owners.length === 0) return false;
  const [, name] = [...line.matchAll(GRANTEE)][0] ?? [];
  return name !== undefined && owners.includes(unquoted(name));
}

const NAME = `(?:"(?:[^"]|"")+"|[^\\s",.();]+)`;
const POLICY_ROLES = new RegExp(
  `^(CREATE POLICY ${NAME} ON ${NAME}\\.${NAME}(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO )(${NAME}(?:, ${NAME})*)`,
);

function sortedNames(list: string): string {
  return [...list.matchAll(new RegExp(NAME, "g"))].map(([name]) => name).sort().join(", ");
}
