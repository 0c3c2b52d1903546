/**
 * Default privileges of the role that restores. An archive's grants say how an object differs from a new one; where the target
 * grants more to new objects by itself, these grants would stay: a table taken from anon in the source would be open here.
 */
import { quoted } from "./roles.ts";
import type { Target } from "./target.ts";

export interface Defaults {
  /** Makes new objects have what PostgreSQL gives them, and no more. "" when they do. */
  takeAway: string;
  /** The way back. */
  giveBack: string;
}

interface Row {
  schema: string | null;
  type: keyof typeof TYPES;
  /** "" is PUBLIC. */
  grantee: string;
  privilege: string;
  grantable: boolean;
  /** True for what new objects have beyond PostgreSQL's own, false for what they lack of it. */
  extra: boolean;
}

/** pg_default_acl.defaclobjtype */
const TYPES = { r: "TABLES", S: "SEQUENCES", f: "FUNCTIONS", T: "TYPES", n: "SCHEMAS" };

/** Privileges for all schemas replace PostgreSQL's own; those for one schema are added to them. */
const QUERY = `
  with given as (
    select d.oid, d.defaclnamespace, d.defaclobjtype, a.grantee, a.privilege_type, a.is_grantable
    from pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
    where d.defaclrole = current_user::pg_catalog.regrole
  ), base as (
    select d.oid, d.defaclnamespace, d.defaclobjtype, a.grantee, a.privilege_type, a.is_grantable
    from pg_catalog.pg_default_acl d, pg_catalog.aclexplode(pg_catalog.acldefault(
      case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole)) a
    where d.defaclrole = current_user::pg_catalog.regrole and d.defaclnamespace = 0
  )
  select n.nspname as schema, c.defaclobjtype as type, coalesce(r.rolname, '') as grantee, c.privilege_type as privilege,
    c.is_grantable as grantable, c.extra
  from (
    select *, true as extra from (table given except table base) more
    union all
    select *, false from (table base except table given) less
  ) c
  left join pg_catalog.pg_namespace n on n.oid = c.defaclnamespace
  left join pg_catalog.pg_roles r on r.oid = c.grantee
  order by 1, 2, 3, 4`;

export async function defaultPrivileges({ session: { sql } }: Target): Promise<Defaults> {
  const rows = await sql.unsafe<(Row & Record<string, unknown>)[]>(QUERY);
  return {
    takeAway: rows.map((row) => row.extra ? revoke(row) : grant(row)).join(""),
    giveBack: rows.map((row) => row.extra ? grant(row) : revoke(row)).join(""),
  };
}

function revoke(row: Row): string {
  return `${head(row)} REVOKE ${row.privilege} ON ${TYPES[row.type]} FROM ${grantee(row)};\n`;
}

function grant(row: Row): string {
  return `${head(row)} GRANT ${row.privilege} ON ${TYPES[row.type]} TO ${grantee(row)}${
    row.grantable ? " WITH GRANT OPTION" : ""
  };\n`;
}

function head({ schema }: Row): string {
  return `ALTER DEFAULT PRIVILEGES${schema === null ? "" : ` IN SCHEMA ${quoted(schema)}`}`;
}

function grantee({ grantee }: Row): string {
  return grantee === "" ? "PUBLIC" : quoted(grantee);
}
