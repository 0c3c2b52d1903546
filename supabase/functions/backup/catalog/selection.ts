/** Which objects are dumped, as SQL (pg_dump.c, selectDumpable…). */

/** OIDs from here on were made by users, not by initdb (access/transam.h, FirstNormalObjectId). */
export const FIRST_USER_OID = 16384;

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

/**
 * The columns `whole`, `acl` and `base` of objects in a schema `n`. `whole` is false where only privileges are dumped;
 * `acl` is null where there are none to dump, `base` is what a new object would have.
 */
export function selected(
  object: { catalog: string; oid: string; acl: string; owner: string; aclKind: string },
): string {
  const { catalog, oid, acl, owner, aclKind } = object;
  return `${isUserSchema("n")} and not ${isMember(catalog, oid)} as whole,
    ${privileges({ catalog, oid, acl, owner, aclKind })}`;
}

/** The columns `acl` and `base` alone. */
export function privileges(
  { catalog, oid, acl, owner, aclKind }: {
    catalog: string;
    oid: string;
    acl: string;
    owner: string;
    aclKind: string;
  },
): string {
  return `${acl}::text as acl,
    case when ${acl} is not null then coalesce(
        (select initprivs from pg_init_privs where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = 0),
        acldefault(${aclKind}, ${owner}))::text end as base`;
}

/** Restricts to objects of which something is dumped: users' own, and others' with privileges that were changed. */
export function worthReading(object: { catalog: string; oid: string; acl: string }): string {
  const { catalog, oid, acl } = object;
  return `(${isUserSchema("n")} and not ${isMember(catalog, oid)} or ${acl} is not null
        and (n.nspname = 'pg_catalog' or ${isUserSchema("n")})
        and ${acl} is distinct from (
            select initprivs from pg_init_privs where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = 0))`;
}
