/** Which objects are dumped, as SQL (pg_dump.c, selectDumpable…). */

/** OIDs from here on were made by users, not by initdb (access/transam.h, FirstNormalObjectId). */
export const FIRST_USER_OID = 16384;

/** What tells an object's privileges in SQL. */
export interface WithPrivileges {
  /** Its catalog: `pg_proc`. */
  catalog: string;
  /** Expressions of its OID, its privileges and its owner. */
  oid: string;
  acl: string;
  owner: string;
  /** acldefault()'s word for its type, a literal or expression: `'f'`. */
  aclKind: string;
}

/** The schema `alias` is a user's: neither the server's own nor the standard's. */
export function isUserSchema(alias: string): string {
  return `(${alias}.nspname !~ '^pg_' and ${alias}.nspname <> 'information_schema')`;
}

/** The object belongs to an extension, which recreates it: only changed privileges are dumped. */
export function isMember(catalog: string, oid: string): string {
  return `exists (
        select from pg_depend as member
        where member.classid = '${catalog}'::regclass and member.objid = ${oid} and member.deptype = 'e'
    )`;
}

/** The object in a schema `n` is dumped whole. */
export function isWhole(catalog: string, oid: string): string {
  return `(${isUserSchema("n")} and not ${isMember(catalog, oid)})`;
}

function initial({ catalog, oid }: WithPrivileges): string {
  return `(select initprivs from pg_init_privs where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = 0)`;
}

/** The columns `acl` (null where there is nothing to dump) and `base` (what a new object has). */
export function privileges(object: WithPrivileges): string {
  const { acl, owner, aclKind } = object;
  const normal = `acldefault(${aclKind}, ${owner})`;
  return `coalesce(${acl}, case when ${initial(object)} is not null then ${normal} end) as acl,
    coalesce(${initial(object)}, ${normal}) as base`;
}

/**
 * The columns `whole`, `acl` and `base` of objects in a schema `n`. `whole` is false where only privileges are dumped.
 */
export function selected(object: WithPrivileges): string {
  return `${isWhole(object.catalog, object.oid)} as whole,
    ${privileges(object)}`;
}

/** Restricts to objects of which something is dumped: users' own, and others' with privileges that were changed. */
export function worthReading(object: WithPrivileges): string {
  const { catalog, oid, acl } = object;
  return `(${isWhole(catalog, oid)}
        or (n.nspname = 'pg_catalog' or ${isUserSchema("n")}) and ${acl} is distinct from ${
    initial(object)
  })`;
}
