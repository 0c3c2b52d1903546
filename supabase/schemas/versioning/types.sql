-- The trigger functions run with their owner's rights, and the owner of a table can make casts and operators for the
-- types of its columns, which the server would prefer to its own. So no cast and no operator is looked up for a type
-- that anyone but a superuser can have made: text comes from the output functions of the types, and text is compared.

create or replace function versioning._base_type(type oid)
returns oid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    base oid := type;
begin
    -- Types below 16384 come with the server.
    while base >= 16384 loop
        select t.typbasetype into base from pg_catalog.pg_type t where t.oid = type and t.typtype = 'd';
        exit when not found;
        type := base;
    end loop;
    return type;
end;
$$;

comment on function versioning._base_type is
    'Returns a type, or the type behind a domain: domains take no part in casts and operators.';

create or replace function versioning._text_of(type oid, value text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Collation "C", because the column's own collation may consider different texts equal.
    return format(
        case
            when versioning._base_type(type) < 16384 then '(%s::pg_catalog.text collate pg_catalog."C")'
            -- concat() calls the output function of any type.
            else '(case when %1$s is distinct from null then pg_catalog.concat(%1$s) end collate pg_catalog."C")'
        end,
        value
    );
end;
$$;

comment on function versioning._text_of is 'Returns SQL for the text of the value of SQL `value`; null stays null.';

create or replace function versioning._value_of(type oid, value text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    base oid := case when type < 16384 then type else versioning._base_type(type) end;
begin
    -- Casts from text to a base type are made by a superuser; to other types, possibly by their owners.
    if base < 16384 or exists (select from pg_catalog.pg_type t where t.oid = base and t.typtype = 'b' and t.typelem = 0) then
        return format('%s::%s', value, pg_catalog.format_type(base, -1));
    end if;
    return value;
end;
$$;

comment on function versioning._value_of is
    'Returns SQL for the value of the text of SQL `value`: of the type behind a domain, whose checks may call '
    'functions of other roles. Where a cast from text may be another role''s, the SQL stays text.';

create or replace view versioning._key_columns with (security_invoker = true) as
select
    i.indrelid as relation,
    k.place,
    a.attname as name,
    a.atttypid as type,
    case
        when a.atttypid = p.oprleft and a.atttypid = p.oprright
            or p.oprnamespace = 'pg_catalog'::regnamespace and versioning._base_type(a.atttypid) < 16384
        then format('operator(%I.%s)', p.oprnamespace::regnamespace::name, p.oprname)
    end as operator
from pg_catalog.pg_index i
cross join unnest(i.indkey::smallint[], i.indclass::oid[]) with ordinality k (position, class, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.position
join pg_catalog.pg_opclass c on c.oid = k.class
join pg_catalog.pg_amop m
    on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
join pg_catalog.pg_operator p on p.oid = m.amopopr
where i.indisprimary;

comment on view versioning._key_columns is
    'Columns of primary keys, with their operator of equality if it is the server''s, or a superuser''s for exactly '
    'this type.';
comment on column versioning._key_columns.relation is 'Table.';
comment on column versioning._key_columns.place is 'Position in the key, from 1.';
comment on column versioning._key_columns.name is 'Name of the column.';
comment on column versioning._key_columns.type is 'Type of the column.';
comment on column versioning._key_columns.operator is 'SQL of the operator; null: compare the text of the values.';

create or replace function versioning._key_text(relation regclass, layout versioning.layouts, alias text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when layout.key_count = 1 then min(versioning._text_of(k.type, k.value))
        else 'pg_catalog.textin(pg_catalog.record_out(row(' || string_agg(k.value, ', ' order by k.place) || ')))'
    end
    from (
        select
            c.place,
            a.atttypid as type,
            -- Equal numerics must have the same text.
            format(case when a.atttypid = 'numeric'::regtype then 'pg_catalog.trim_scale(%I.%I)' else '%I.%I' end, alias, c.name) as value
        from unnest(layout.names[:layout.key_count]) with ordinality c (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = c.name
    ) k;
end;
$$;

comment on function versioning._key_text is
    'Returns SQL for the text of the key of `alias`: of its value, or of the row of its values if there are several.';
