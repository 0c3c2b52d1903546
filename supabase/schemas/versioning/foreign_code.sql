-- The server may run functions of a table's owner with the rights of a role that reads the table or computes its
-- defaults. Where a role would run them only because it keeps or reads a history, that is refused. A function of a role
-- that may act as the reader anyway, or as the owner of this schema, gains nothing by it.

create or replace function versioning._is_trusted(role oid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return pg_has_role(role, current_user, 'member')
        or exists (select from pg_catalog.pg_namespace n where n.nspname = 'versioning' and pg_has_role(role, n.nspowner, 'member'));
end;
$$;

comment on function versioning._is_trusted is
    'Returns whether a role may act as the current role or as the owner of this schema.';

create or replace view versioning._foreign_functions with (security_invoker = true) as
select d.classid as class, d.objid as object, p.oid::regprocedure as function, pg_get_userbyid(p.proowner) as owner
from pg_catalog.pg_depend d
left join pg_catalog.pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
join pg_catalog.pg_proc p on p.oid = case d.refclassid when 'pg_proc'::regclass then d.refobjid else o.oprcode end
where not versioning._is_trusted(p.proowner);

comment on view versioning._foreign_functions is
    'Functions of untrusted roles that objects depend on, directly or through an operator.';
comment on column versioning._foreign_functions.class is 'Catalog of the object.';
comment on column versioning._foreign_functions.object is 'OID of the object.';
comment on column versioning._foreign_functions.function is 'Name of the function.';
comment on column versioning._foreign_functions.owner is 'Owner of the function.';

create or replace function versioning._require_safe_types(relation regclass)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found record;
begin
    -- Nearly all tables: trusted defaults, and only types of the server.
    if (select versioning._is_trusted(c.relowner) from pg_catalog.pg_class c where c.oid = relation)
        and not exists (
            select from pg_catalog.pg_attribute a where a.attrelid = relation and a.attnum > 0 and a.atttypid >= 16384
        )
    then
        return;
    end if;
    with recursive types as (
        select c.reltype as oid from pg_catalog.pg_class c where c.oid = relation
        union
        select part.oid
        from types y
        join pg_catalog.pg_type t on t.oid = y.oid
        cross join lateral (
            select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            union all
            select r.rngsubtype from pg_catalog.pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
            union all
            select r.rngtypid from pg_catalog.pg_range r where t.oid = r.rngmultitypid
            union all
            values (t.typbasetype), (t.typelem)
        ) part (oid)
        where part.oid >= 16384
    ), objects as (
        select 'pg_attrdef'::regclass as class, d.oid from pg_catalog.pg_attrdef d where d.adrelid = relation
        union all
        select 'pg_constraint'::regclass, k.oid from types y join pg_catalog.pg_constraint k on k.contypid = y.oid
        union all
        select 'pg_cast'::regclass, k.oid
        from types y
        join pg_catalog.pg_cast k
            on k.castsource = y.oid and k.casttarget in ('json'::regtype, 'jsonb'::regtype)
            -- The text of expressions is parsed again.
            or y.oid in (k.castsource, k.casttarget) and exists (select from pg_catalog.pg_attrdef d where d.adrelid = relation)
    )
    select f.function, f.owner into found
    from objects o
    join versioning._foreign_functions f on f.class = o.class and f.object = o.oid
    limit 1;
    if found.function is not null then
        raise exception 'Cannot read table "%" as it was: role "%" would run function % of role "%"',
            relation, current_user, found.function, found.owner
            using errcode = 'insufficient_privilege',
                hint = 'Read versioning.history instead, or ask as the owner of the function.';
    end if;
end;
$$;

comment on function versioning._require_safe_types is
    'Raises when computing rows of a table would run code of an untrusted role: defaults, generated columns, checks '
    'of domains, casts to JSON.';
