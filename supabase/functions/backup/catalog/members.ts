/**
 * Members of extensions of which nothing is dumped, read where grants on other members are. pg_dump sorts all of them
 * together, and a cast or a type draws the grants on its functions before those on others.
 */
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { ARGUMENT_TYPES_SQL } from "./functions.ts";
import { type Kind, makeObject } from "./object.ts";

export interface MemberRow {
  classId: number;
  oid: number;
  kind: Kind;
  namespace: string | null;
  name: string;
  /** Of functions: the number of arguments, then schema and name of each one's type. */
  key: [number, string[][] | null] | null;
}

// Other kinds come after the functions in any case.
export const MEMBERS_SQL = `
  with members as materialized (
    select classid, objid from pg_depend
    where deptype = 'e' and classid in (${CLASS.procedure}, ${CLASS.type}, ${CLASS.cast})
  ), granted as materialized (
    select from members m join pg_proc p on p.oid = m.objid and m.classid = ${CLASS.procedure}
    left join pg_init_privs i on i.objoid = p.oid and i.classoid = m.classid
    where p.proacl is distinct from i.initprivs
    limit 1
  ), known as (
    select m.classid, p.oid, case p.prokind when 'a' then 'aggregate' else 'function' end as kind,
      n.nspname as namespace, p.proname::text as name, json_build_array(p.pronargs, ${ARGUMENT_TYPES_SQL}) as key
    from members m join pg_proc p on p.oid = m.objid join pg_namespace n on n.oid = p.pronamespace
    where m.classid = ${CLASS.procedure}
    union all
    select m.classid, t.oid,
      -- Since 17 types that come with a relation or an element are members as well.
      case when t.typtype = 'm' or r.relkind <> 'c' or e.typarray = t.oid then 'dummy type' else 'type' end,
      n.nspname, t.typname, null
    from members m join pg_type t on t.oid = m.objid join pg_namespace n on n.oid = t.typnamespace
    left join pg_class r on r.oid = t.typrelid
    left join pg_type e on e.oid = t.typelem
    where m.classid = ${CLASS.type}
    union all
    select m.classid, c.oid, 'cast', null, s.typname || ' ' || t.typname, null
    from members m join pg_cast c on c.oid = m.objid
    join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
    where m.classid = ${CLASS.cast}
  )
  select classid::int8 as "classId", oid::int8, kind, namespace, name, key
  from known
  where exists (select from granted)
  order by classid, oid`;

/** Adds the members that no object type has read. */
export function addMembers(rows: MemberRow[], catalog: Catalog): void {
  for (const { kind, classId, oid, namespace, name, key } of rows) {
    if (catalog.find(classId, oid)) continue;
    catalog.add(makeObject({ kind, classId, oid, namespace, name, key: key?.flat(2) as string[] ?? [] }));
  }
}
