/**
 * Whose relations a query may name. Owners of a relation or of its schema can put another one in its place while a
 * query waits for its lock, and planning a query runs functions of a table's indexes: as the role that asks.
 */

/** Roles of the platform that own tables of users' data (Auth, Storage, Realtime) and that only its services act as. */
const PLATFORM_OWNERS = ["admin", "auth_admin", "storage_admin", "realtime_admin"]
  .map((name) => `'supabase_${name}'`).join(", ");

/** OIDs of roles that nobody can act as who is not us, a superuser or the platform. */
export const TRUSTED_ROLES = `array(
    select r.oid from pg_roles r
    where r.rolname = current_user or r.rolsuper or r.rolname in (${PLATFORM_OWNERS})
      or not r.rolcanlogin and not exists (
        select from pg_auth_members m join pg_roles g on g.oid = m.member
        where m.roleid = r.oid and g.rolname <> current_user and not g.rolsuper)
      -- Its member is the owner of the database, whom no list of members has.
      and (r.rolname <> 'pg_database_owner' or exists (
        select from pg_database d join pg_roles o on o.oid = d.datdba
        where d.datname = current_database() and (o.rolname = current_user or o.rolsuper))))`;

/**
 * Whether a trusted role owns the schema of the relation c, an SQL expression. Its owner can rename it, and put another
 * in its place.
 */
export const HAS_TRUSTED_SCHEMA =
  `(select s.nspowner from pg_namespace s where s.oid = c.relnamespace) = any (${TRUSTED_ROLES})`;

/** Whether only trusted roles own the relation c and its schema, an SQL expression. */
export const HAS_TRUSTED_OWNERS = `(c.relowner = any (${TRUSTED_ROLES}) and ${HAS_TRUSTED_SCHEMA})`;
