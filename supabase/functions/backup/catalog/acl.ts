/**
 * Grants as SQL: what leads from the privileges a new object has to those it should have (dumputils.c,
 * buildACLCommands).
 */
import type { Catalog } from "./catalog.ts";

export interface Grants {
  /** What follows ON: `TABLE`, `SCHEMA`, `FUNCTION`, …; `TABLES` and the like for default privileges. */
  type: string;
  /** The object's name as SQL wants it, with its schema. */
  name: string;
  /** A column's name, quoted, when the grants are a column's. */
  column?: string;
  /** Items as PostgreSQL prints them: `grantee=codes/grantor`. */
  items: readonly string[];
  /** Items that the object has when it is new. */
  base: readonly string[];
  /** Name of the owner, not quoted. */
  owner: string;
  /** Stands before each command: `ALTER DEFAULT PRIVILEGES FOR ROLE r `. */
  prefix?: string;
}

interface Item {
  /** "" is PUBLIC. */
  grantee: string;
  grantor: string;
  codes: string;
}

/** Privilege codes (utils/acl.h) by type of object, in the order in which they are written. */
const PRIVILEGES: Record<string, [string, string][]> = {
  TABLE: [
    ["r", "SELECT"],
    ["a", "INSERT"],
    ["x", "REFERENCES"],
    ["d", "DELETE"],
    ["t", "TRIGGER"],
    ["D", "TRUNCATE"],
    ["m", "MAINTAIN"],
    ["w", "UPDATE"],
  ],
  COLUMN: [["r", "SELECT"], ["a", "INSERT"], ["x", "REFERENCES"], ["w", "UPDATE"]],
  SEQUENCE: [["r", "SELECT"], ["U", "USAGE"], ["w", "UPDATE"]],
  FUNCTION: [["X", "EXECUTE"]],
  PROCEDURE: [["X", "EXECUTE"]],
  LANGUAGE: [["U", "USAGE"]],
  SCHEMA: [["C", "CREATE"], ["U", "USAGE"]],
  DATABASE: [["C", "CREATE"], ["c", "CONNECT"], ["T", "TEMPORARY"]],
  TYPE: [["U", "USAGE"]],
  "FOREIGN DATA WRAPPER": [["U", "USAGE"]],
  "FOREIGN SERVER": [["U", "USAGE"]],
  "LARGE OBJECT": [["r", "SELECT"], ["w", "UPDATE"]],
};

/** Since this version tables have the privilege MAINTAIN; without it, the others are all. */
const MAINTAIN_VERSION = 170000;

/** REVOKE and GRANT commands, one a line; "" when there is nothing to change. */
export function grantCommands(catalog: Catalog, grants: Grants): string {
  const { items, base, owner } = grants;
  const kept = new Set(items);
  const given = new Set(base);
  let own = "";
  let others = "";
  for (const text of base) {
    if (!kept.has(text)) own += revoke(catalog, grants, parseItem(text));
  }
  for (const text of items) {
    if (given.has(text)) continue;
    const item = parseItem(text);
    const commands = grant(catalog, grants, item);
    // The owner's own grants come first: others may rest on them.
    if (item.grantee === owner && (item.grantor || owner) === owner) {
      own += commands;
    } else others += commands;
  }
  return own + others;
}

function revoke(catalog: Catalog, grants: Grants, item: Item): string {
  const { all } = privileges(catalog, grants, item.codes);
  if (all === "") return "";
  return `${grants.prefix ?? ""}REVOKE ${all} ON ${objectOf(catalog, grants)} FROM ${
    grantee(catalog, item)
  };\n`;
}

function grant(catalog: Catalog, grants: Grants, item: Item): string {
  const { plain, grantable } = privileges(catalog, grants, item.codes);
  if (plain === "" && grantable === "") return "";
  const target = `ON ${objectOf(catalog, grants)} TO ${grantee(catalog, item)}`;
  let commands = "";
  if (plain !== "") {
    commands += `${grants.prefix ?? ""}GRANT ${plain} ${target};\n`;
  }
  if (grantable !== "") {
    commands += `${grants.prefix ?? ""}GRANT ${grantable} ${target} WITH GRANT OPTION;\n`;
  }
  const grantor = item.grantor || grants.owner;
  if (grantor === grants.owner) return commands;
  return `SET SESSION AUTHORIZATION ${catalog.quote(grantor)};\n${commands}RESET SESSION AUTHORIZATION;\n`;
}

/**
 * Returns what stands after ON. Default privileges have no name there: pg_dump before 17 writes the space before it all
 * the same.
 */
function objectOf({ facts }: Catalog, { type, name }: Grants): string {
  return name === "" && facts.version >= 170000 ? type : `${type} ${name}`;
}

function grantee(catalog: Catalog, item: Item): string {
  return item.grantee === "" ? "PUBLIC" : catalog.quote(item.grantee);
}

/** Lists of privileges: without and with the right to grant them on, and both as one; a full list is `ALL`. */
function privileges(
  catalog: Catalog,
  { type, column }: Grants,
  codes: string,
): { plain: string; grantable: string; all: string } {
  const kind = column !== undefined ? "COLUMN" : PRIVILEGES[type] ? type : type.replace(/S$/, "");
  const known = PRIVILEGES[kind]!.filter(([code]) =>
    code !== "m" || catalog.facts.version >= MAINTAIN_VERSION
  );
  const suffix = column === undefined ? "" : `(${column})`;
  const list = (chosen: [string, string][]) =>
    chosen.length === known.length ? `ALL${suffix}` : chosen.map(([, word]) => word + suffix).join(",");
  const held = known.filter(([code]) => codes.includes(code));
  const passed = held.filter(([code]) => codes.includes(`${code}*`));
  return {
    plain: list(held.filter((entry) => !passed.includes(entry))),
    grantable: list(passed),
    all: list(held),
  };
}

/** `grantee=codes/grantor`; names that are not plain stand in double quotes (acl.c, putid). */
export function parseItem(text: string): Item {
  const [grantee, rest] = takeName(text);
  const slash = rest.indexOf("/");
  if (rest[0] !== "=" || slash < 0) {
    throw new Error(`The privileges "${text}" have no form that is known`);
  }
  return { grantee, codes: rest.slice(1, slash), grantor: takeName(rest.slice(slash + 1))[0] };
}

/** The name at the start of a text, and what follows it. */
function takeName(text: string): [string, string] {
  const match = text.match(/^(?:[^"=]|"(?:[^"]|"")*")*/)![0];
  const name = match.replaceAll(/"((?:[^"]|"")*)"/g, (_, quoted: string) => quoted.replaceAll('""', '"'));
  return [name, text.slice(match.length)];
}
