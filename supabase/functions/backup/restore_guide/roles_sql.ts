/** Roles as SQL: the file `roles.sql` beside a backup, and what a restore does of it. */
import type { Membership, Role, Roles } from "../catalog/roles.ts";
import { literal } from "../catalog/catalog.ts";
import { parseSetting, settingValue } from "../catalog/settings.ts";
import { type Entry, ROLES } from "../entry.ts";
import { list, matching, record, type Shape, text, yesOrNo } from "../manifest/shape.ts";
import { quoted } from "../restore/names.ts";
import { visibleSql } from "../visible_text.ts";
import { isInFreshProject } from "./project_entries.ts";

const number: Shape<number> = (value, path) => Number(matching(/^-?\d+$/, "a number")(String(value), path));
const orNull = <T>(shape: Shape<T>): Shape<T | null> => (value, path) =>
  value === null ? null : shape(value, path);

const SHAPE: Shape<Roles> = record<Roles>({
  roles: list(record<Role>({
    name: text,
    superuser: yesOrNo,
    inherit: yesOrNo,
    createrole: yesOrNo,
    createdb: yesOrNo,
    login: yesOrNo,
    replication: yesOrNo,
    bypassrls: yesOrNo,
    limit: number,
    until: orNull(text),
    settings: list(matching(/^[^=]+=/, "a setting")),
  })),
  members: list(record<Membership>({
    role: text,
    member: text,
    admin: yesOrNo,
    inherit: orNull(yesOrNo),
    set: orNull(yesOrNo),
  })),
});

/** Returns the roles that an archive holds; null for one of pg_dump or of an earlier release. Throws ShapeError. */
export function rolesIn(entries: readonly Entry[]): Roles | null {
  const entry = entries.find(({ desc }) => desc === ROLES);
  return entry === undefined ? null : SHAPE(JSON.parse(entry.copy ?? "null"), "roles");
}

/** Roles that the API becomes: people change their settings, as the platform's documents say. */
const API_ROLES = new Set(["anon", "authenticated", "authenticator", "service_role", "postgres"]);

/** What the platform itself sets, and newer projects otherwise. */
const OF_PLATFORM = new Set(["session_preload_libraries"]);

export interface RoleStatement {
  kind: "attribute" | "setting" | "membership";
  role: string;
  /** Roles that must be there. */
  needs: string[];
  what: string;
  sql: string;
}

const ATTRIBUTES = ["superuser", "createrole", "createdb", "replication", "bypassrls"] as const;

/** Returns what is needed for `wanted` where `there` is, without passwords and without LOGIN. */
export function roleStatements(wanted: Roles, there: Roles, version: number): RoleStatement[] {
  const existing = new Map(there.roles.map((role) => [role.name, role]));
  const has = new Set(there.members.map(keyOf));
  return [
    ...wanted.roles.flatMap((role) => statementsOf(role, existing.get(role.name) ?? fresh(role.name))),
    ...wanted.members.filter((membership) => !has.has(keyOf(membership))).flatMap((membership) =>
      membershipStatement(membership, version)
    ),
  ];
}

function keyOf({ role, member, admin }: Membership): string {
  return JSON.stringify([role, member, admin]);
}

function statementsOf(role: Role, there: Role): RoleStatement[] {
  const { name } = role;
  const isPlatforms = isInFreshProject(name);
  const alter = (what: string, rest: string, kind: RoleStatement["kind"] = "attribute") => [{
    kind,
    role: name,
    needs: [name],
    what: `${name}: ${what}`,
    sql: `ALTER ROLE ${quoted(name)} ${rest};`,
  }];
  const attributes = isPlatforms ? [] : [
    ...ATTRIBUTES.filter((attribute) => role[attribute] !== there[attribute]).flatMap((attribute) =>
      alter(
        `${role[attribute] ? "" : "no"}${attribute}`,
        `${role[attribute] ? "" : "NO"}${attribute.toUpperCase()}`,
      )
    ),
    ...(role.inherit === there.inherit
      ? []
      : alter(role.inherit ? "inherit" : "noinherit", role.inherit ? "INHERIT" : "NOINHERIT")),
    ...(role.limit === there.limit ? [] : alter("connection limit", `CONNECTION LIMIT ${role.limit}`)),
    ...(role.until === there.until || role.until === null
      ? []
      : alter("valid until", `VALID UNTIL ${literal(role.until)}`)),
  ];
  const settings = isPlatforms && !API_ROLES.has(name)
    ? []
    : role.settings.filter((setting) =>
      !there.settings.includes(setting) && !(isPlatforms && OF_PLATFORM.has(parseSetting(setting)[0]))
    ).flatMap((setting) => {
      const [parameter, value] = parseSetting(setting);
      return alter(
        parameter,
        `SET ${parameterName(parameter)} TO ${settingValue(parameter, value)}`,
        "setting",
      );
    });
  return [...attributes, ...settings];
}

/** `a.b` names a parameter of an extension; each part is quoted. */
function parameterName(name: string): string {
  return name.split(".").map(quoted).join(".");
}

/** Those among the platform's own roles are the platform's. */
function membershipStatement(
  { role, member, admin, inherit, set }: Membership,
  version: number,
): RoleStatement[] {
  if (isInFreshProject(role) && isInFreshProject(member)) return [];
  const options = [
    ...(admin ? ["ADMIN OPTION"] : []),
    ...(version < 160000 || inherit === null ? [] : [`INHERIT ${inherit ? "TRUE" : "FALSE"}`]),
    ...(version < 160000 || set === null ? [] : [`SET ${set ? "TRUE" : "FALSE"}`]),
  ];
  const rest = options.length === 0
    ? ""
    : ` WITH ${options.join(", ").replace("ADMIN OPTION,", "ADMIN TRUE,")}`;
  return [{
    kind: "membership",
    role: member,
    needs: [role, member],
    what: `${member}: member of ${role}`,
    sql: `GRANT ${quoted(role)} TO ${quoted(member)}${rest};`,
  }];
}

/** A role as CREATE ROLE … NOLOGIN makes it. */
export function fresh(name: string): Role {
  return {
    name,
    superuser: false,
    inherit: true,
    createrole: false,
    createdb: false,
    login: false,
    replication: false,
    bypassrls: false,
    limit: -1,
    until: null,
    settings: [],
  };
}

const HEAD =
  `-- Roles of the server that this backup was made on: attributes, settings and memberships, without passwords.
-- A dump of a database does not contain them. For psql: psql -d postgres -f roles.sql. A statement that your role
-- may not run gives an error, and the others are run. Of the platform's roles only what people change is here.

`;

/** Returns the text of `roles.sql`. */
export function rolesFile(roles: Roles, version: number): string {
  const own = roles.roles.filter(({ name }) => !isInFreshProject(name));
  const create = own.map(({ name, login }) =>
    `SELECT ${
      literal(`CREATE ROLE ${quoted(name)}`)
    } WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) \\gexec` +
    (login ? `\nALTER ROLE ${quoted(name)} LOGIN; -- it needs a password` : "")
  );
  const statements = roleStatements(roles, { roles: [], members: [] }, version);
  return HEAD + visibleSql([...create, ...statements.map(({ sql }) => sql), ""].join("\n"));
}
