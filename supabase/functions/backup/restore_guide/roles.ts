/** Roles that an archive names. It does not hold them: they belong to the server, not to the database. */
import type { Entry } from "../entry.ts";

const NAME = `("(?:[^"]|"")+"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)`;
/** Whom a command gives to or takes from, at its end. */
export const GRANTEE = new RegExp(` (?:TO|FROM) ${NAME}(?: WITH GRANT OPTION)?;$`, "gm");
const FOR_ROLE = new RegExp(`^ALTER DEFAULT PRIVILEGES FOR ROLE ${NAME} `, "gm");
const GRANTOR = new RegExp(`^SET SESSION AUTHORIZATION ${NAME};$`, "gm");
const MAPPED = new RegExp(`^CREATE USER MAPPING FOR ${NAME} SERVER `, "gm");
const POLICY_HEAD = new RegExp(
  `^CREATE POLICY ${NAME} ON ${NAME}\\.${NAME}(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO `,
);
const LISTED = new RegExp(`^${NAME}(?:, )?`);

/**
 * Names without those that every server has. With `owners` also owners, grantors and grantees, else only what policies
 * and mappings need.
 */
export function rolesNamed(entries: readonly Entry[], { owners }: { owners: boolean }): Set<string> {
  const roles = new Set<string>();
  const add = (name: string | null | undefined) => {
    if (name && !/^pg_/.test(name)) roles.add(name);
  };
  for (const { desc, owner, definition } of entries) {
    if (owners) add(owner);
    if (definition === null) continue;
    if (owners && (desc === "ACL" || desc === "DEFAULT ACL")) {
      for (const pattern of [GRANTEE, FOR_ROLE, GRANTOR]) {
        for (const [, name] of definition.matchAll(pattern)) add(unquoted(name!));
      }
    }
    if (desc === "USER MAPPING") { for (const [, name] of definition.matchAll(MAPPED)) add(unquoted(name!)); }
    if (desc === "POLICY") { for (const name of policyRoles(definition)) add(name); }
  }
  return roles;
}

function* policyRoles(definition: string): Generator<string | null> {
  const [head] = POLICY_HEAD.exec(definition) ?? [];
  if (head === undefined) return;
  let rest = definition.slice(head.length);
  for (let found = LISTED.exec(rest); found; found = LISTED.exec(rest)) {
    yield unquoted(found[1]!);
    if (!found[0].endsWith(", ")) return;
    rest = rest.slice(found[0].length);
  }
}

/** Returns null for PUBLIC and for words that name whoever asks. */
export function unquoted(name: string): string | null {
  if (name.startsWith('"')) return name.slice(1, -1).replaceAll('""', '"');
  return /^(public|current_user|session_user|current_role)$/i.test(name) ? null : name;
}
