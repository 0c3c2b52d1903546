/**
 * What a server may refuse when it is restored, although the database has it. Told when the backup is made, because on
 * the day of the restore nobody can mend the source. Only catalogs are asked: no function or expression of a user is
 * run.
 */
import type { Warning } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { isManaged } from "./managed.ts";
import { queryJson } from "./query_json.ts";
import { FIRST_USER_OID, isMember, isUserSchema } from "./selection.ts";

interface Row {
  schema: string;
  /** In the server's words: `constraint mail_is_allowed on table public.members`. */
  object: string;
  why: keyof typeof REASONS;
  /** What it is because of: a function, a foreign table. */
  because: string | null;
}

const REASONS = {
  not_immutable: "it calls what is not immutable: rows that were right may be refused when they come back",
  reads_tables:
    "it calls a function that reads tables, which may be empty, or not be found, while rows come back",
  needs_path:
    "it calls a function whose names are found by search_path only, which is empty while a backup is restored",
  not_valid: "it is NOT VALID: rows that are there may violate it",
  foreign: "it reads a foreign table: its rows come back only while the foreign server answers",
  invalid_index: "it is not valid, and therefore not in the backup; reindex or drop it",
  incomplete_index: "it is not valid: a partition has no part of it",
  forbids: "its function may raise an error, which refuses what a restore into this database does",
};

const described = (classid: string, objid: string, subid = "0") =>
  `pg_describe_object(${classid}, ${objid}, ${subid})`;

const SQL = `
  with recursive
  -- Names of users' relations, functions and types.
  named (name) as materialized (
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${isUserSchema("n")} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union select f.proname from pg_proc f join pg_namespace n on n.oid = f.pronamespace where ${
  isUserSchema("n")
}
    union select t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where ${isUserSchema("n")} and t.typtype in ('e', 'd', 'r')
  ),
  body (oid, volatile, reads, lost) as materialized (
    select p.oid, p.provolatile <> 'i',
      l.lanname in ('sql', 'plpgsql') and (p.prosrc ~* '\\mfrom\\M' or p.prosqlbody is not null and p.prosqlbody::text ~ ':rtekind 0'),
      l.lanname in ('sql', 'plpgsql') and p.prosqlbody is null
        and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%') and exists (
      select from regexp_matches(p.prosrc, '(?<![.\\w"])([a-zA-Z_]\\w*)', 'g') word
      join named on named.name = lower(word[1]))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where ${isUserSchema("n")} and not ${isMember("pg_proc", "p.oid")}
      and exists (
        select from pg_depend d where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
          and d.classid in ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass))
  ),
  -- Asked by the OIDs in the tree: the server's own functions have no dependencies.
  calls (oid, volatile) as materialized (
    select k.oid, k.conbin::text ~ '{SQLVALUEFUNCTION' or exists (
      select from regexp_matches(k.conbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') called
      join pg_proc f on f.oid = called[1]::oid where f.provolatile <> 'i')
    from pg_constraint k where k.contype = 'c' and k.oid >= ${FIRST_USER_OID}
  ),
  expression (classid, objid, relation, shown, subid) as (
    select 'pg_constraint'::regclass::oid, k.oid, k.conrelid, k.oid, 0
    from pg_constraint k where k.contype = 'c' and k.oid >= ${FIRST_USER_OID}
    union all
    select 'pg_attrdef'::regclass, d.oid, d.adrelid, d.adrelid, d.adnum
    from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attgenerated <> ''
    union all
    select 'pg_class'::regclass, i.indexrelid, i.indrelid, i.indexrelid, 0
    from pg_index i where i.indexprs is not null or i.indpred is not null
  ),
  seen (matview, relation) as (
    select c.oid, c.oid from pg_class c where c.relkind = 'm' and c.relispopulated
    union
    select s.matview, d.refobjid
    from seen s
    join pg_rewrite r on r.ev_class = s.relation
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where d.refobjid <> s.relation
  ),
  found (relation, domain, object, why, because) as (
    select k.conrelid, k.contypid, ${described("'pg_constraint'::regclass", "k.oid")}, 'not_immutable', null
    from calls join pg_constraint k on k.oid = calls.oid where calls.volatile
    union all
    select e.relation, coalesce((select k.contypid from pg_constraint k where e.relation = 0 and k.oid = e.objid), 0),
      case when e.classid = 'pg_attrdef'::regclass then ${
  described("'pg_class'::regclass", "e.shown", "e.subid")
}
        else ${described("e.classid", "e.objid")} end,
      case when b.reads then 'reads_tables' else 'needs_path' end, ${
  described("'pg_proc'::regclass", "b.oid")
}
    from expression e
    join pg_depend d on d.classid = e.classid and d.objid = e.objid and d.refclassid = 'pg_proc'::regclass
    join body b on b.oid = d.refobjid and (b.reads or b.lost)
    union all
    select k.conrelid, k.contypid, ${described("'pg_constraint'::regclass", "k.oid")}, 'not_valid', null
    from pg_constraint k where not k.convalidated and k.contype in ('c', 'f', 'n') and k.conparentid = 0
    union all
    select distinct s.matview, 0::oid, ${described("'pg_class'::regclass", "s.matview")}, 'foreign',
      ${described("'pg_class'::regclass", "f.oid")}
    from seen s join pg_class f on f.oid = s.relation and f.relkind = 'f'
    union all
    select i.indrelid, 0::oid, ${described("'pg_class'::regclass", "i.indexrelid")},
      case when c.relkind = 'I' then 'incomplete_index' else 'invalid_index' end, null
    from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid
  )
  select n.nspname as schema, f.object, f.why, f.because
  from found f
  left join pg_class c on c.oid = f.relation
  left join pg_type t on t.oid = f.domain
  join pg_namespace n on n.oid = coalesce(c.relnamespace, t.typnamespace)
  where ${isUserSchema("n")} and not ${isMember("pg_class", "f.relation")}
  union all
  select 'public', ${described("'pg_event_trigger'::regclass", "e.oid")}, 'forbids', ${
  described("'pg_proc'::regclass", "p.oid")
}
  from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid
  where e.evtenabled <> 'D' and e.evtevent <> 'login' and p.prosrc ~* '\\mraise\\s+exception\\M'
    and not ${isMember("pg_event_trigger", "e.oid")} and not ${isMember("pg_proc", "p.oid")}
    and not exists (
      select from pg_roles r where r.oid = e.evtowner and r.rolname <> current_user and starts_with(r.rolname::text, 'supabase_'))
  order by 2, 3`;

/** Their restore is tested with each release. */
const OURS = new Set(["backup", "versioning", "versioning_private"]);

/** Returns a warning for each. Schemas of the platform are its own. */
export async function findMayNotRestore(session: Session): Promise<Warning[]> {
  const rows = await queryJson<Row>(session, SQL);
  const warnings = rows.filter(({ schema }) => !isManaged(schema) && !OURS.has(schema)).map((
    { object, why, because },
  ) => ({
    code: "may_not_restore",
    object,
    message: REASONS[why] + (because === null ? "" : ` (${because})`),
  }));
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
