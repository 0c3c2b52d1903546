/** Roles of the server, which no archive of pg_dump has: attributes, settings, memberships. Passwords are not read. */
import { type Entry, ROLES } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { queryJson } from "./query_json.ts";

export interface Role {
  name: string;
  superuser: boolean;
  inherit: boolean;
  createrole: boolean;
  createdb: boolean;
  login: boolean;
  replication: boolean;
  bypassrls: boolean;
  /** Connections; -1 for any number. */
  limit: number;
  until: string | null;
  /** `name=value`, as the catalog has them. */
  settings: string[];
}

export interface Membership {
  role: string;
  member: string;
  admin: boolean;
  /** Null before PostgreSQL 16, where the member's own attribute decides. */
  inherit: boolean | null;
  set: boolean | null;
}

export interface Roles {
  roles: Role[];
  members: Membership[];
}

const ROLES_SQL = `
  select r.rolname as name, r.rolsuper as superuser, r.rolinherit as inherit, r.rolcreaterole as createrole,
    r.rolcreatedb as createdb, r.rolcanlogin as login, r.rolreplication as replication, r.rolbypassrls as bypassrls,
    r.rolconnlimit as "limit", r.rolvaliduntil::text as until, coalesce(r.rolconfig, '{}') as settings
  from pg_roles r
  where r.rolname !~ '^pg_'
  order by r.rolname collate "C"`;

/** A role may be a member several times, once by each that granted it. */
const membersSql = (version: number) => `
  select r.rolname as role, m.rolname as member, bool_or(a.admin_option) as admin,
    ${version >= 160000 ? "bool_or(a.inherit_option)" : "null::boolean"} as inherit,
    ${version >= 160000 ? "bool_or(a.set_option)" : "null::boolean"} as "set"
  from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
  where m.rolname !~ '^pg_'
  group by r.rolname, m.rolname
  order by r.rolname collate "C", m.rolname collate "C"`;

/** Reads them. The session's search_path must be pg_catalog. */
export async function readRoles(session: Session, version: number): Promise<Roles> {
  const [roles, members] = await Promise.all([
    queryJson<Role>(session, ROLES_SQL),
    queryJson<Membership>(session, membersSql(version)),
  ]);
  return { roles, members };
}

/** Makes the entry that holds them. Settings may be secrets, so they are where the rows are, encrypted with them. */
export function rolesEntry(dumpId: number, roles: Roles): Entry {
  return {
    dumpId,
    tableoid: 0,
    oid: 0,
    tag: "roles",
    desc: ROLES,
    section: "none",
    definition: null,
    drop: null,
    copy: JSON.stringify(roles),
    namespace: null,
    tablespace: null,
    tableam: null,
    owner: null,
    dependencies: [],
    hasData: false,
  };
}
