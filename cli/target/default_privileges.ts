/** Default privileges of the role that restores. */
import type { DefaultPrivilege } from "../../supabase/functions/backup/restore_plan/context.ts";
import type { Target } from "./target.ts";

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

export async function readDefaultPrivileges({ session: { sql } }: Target): Promise<DefaultPrivilege[]> {
  return [...await sql.unsafe<(DefaultPrivilege & Record<string, unknown>)[]>(QUERY)];
}
