-- What the catalog says of a tracked table now, against what its newest layout says.

-- Where the table is: its trigger function tells, whatever the table is called by now. Partitions have the triggers too; of those the
-- partitioned table is meant, not one that was a partition once. Null when it is not tracked.
create or replace function versioning._relation(table_id integer)
returns regclass
language sql
stable
set search_path = ''
as $$
    select c.oid::regclass
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    where t.tgfoid = to_regproc('versioning._record_' || table_id) and not c.relispartition
    order by c.relkind = 'p' desc, t.oid
    limit 1;
$$;

revoke all on function versioning._relation from public;
grant execute on function versioning._relation to anon, authenticated, service_role;
comment on function versioning._relation is 'Where a tracked table is; null when it is not tracked.';

-- The number of a table: by its triggers, else by its name among those tracked before. Null for one that never was.
create or replace function versioning._find(relation regclass)
returns integer
language sql
stable
set search_path = ''
as $$
    select coalesce(
        (
            select substr(p.proname, length('_record_') + 1)::integer
            from pg_catalog.pg_trigger t
            join pg_catalog.pg_proc p on p.oid = t.tgfoid and p.pronamespace = 'versioning'::regnamespace
            where t.tgrelid = relation and p.proname ~ '^_record_[0-9]+$'
            limit 1
        ),
        (
            select max(t.id)
            from pg_catalog.pg_class c
            join versioning.tables t on t.schema_name = c.relnamespace::regnamespace::name and t.table_name = c.relname
            where c.oid = relation and versioning._relation(t.id) is null
        )
    );
$$;

revoke all on function versioning._find from public;
grant execute on function versioning._find to anon, authenticated, service_role;
comment on function versioning._find is 'The number of a table that is or was tracked; null for another.';

create or replace function versioning._require(relation regclass)
returns integer
language plpgsql
stable
set search_path = ''
as $$
declare
    found integer := versioning._find(relation);
begin
    if found is null then
        raise exception 'table % has no history: it is not tracked', relation
            using errcode = 'undefined_object', hint = format('select versioning.track(%L) begins one.', relation);
    end if;
    return found;
end;
$$;

revoke all on function versioning._require from public;
grant execute on function versioning._require to anon, authenticated, service_role;
comment on function versioning._require is 'The number of a table that is or was tracked; raises for another.';

create or replace function versioning._newest_layout(table_id integer)
returns versioning.layouts
language sql
stable
set search_path = ''
as $$
    select l from versioning.layouts l where l.table_id = _newest_layout.table_id order by l.id desc limit 1;
$$;

revoke all on function versioning._newest_layout from public;
grant execute on function versioning._newest_layout to anon, authenticated, service_role;
comment on function versioning._newest_layout is 'The newest layout known of a table.';

-- The layout of the table as it is now; its id is null. A column is the one that had its name before. One with a new name is the one
-- that stood in its place, had its type, and is no longer there by its own name: it was renamed. Any other is new.
create or replace function versioning._shape(table_id integer, relation regclass)
returns versioning.layouts
language plpgsql
stable
set search_path = ''
as $$
declare
    options versioning.tables;
    old versioning.layouts := versioning._newest_layout(table_id);
    shape versioning.layouts;
    highest smallint;
begin
    select t.* into options from versioning.tables t where t.id = table_id;
    select coalesce(max(n), 0) into highest
    from versioning.layouts l, unnest(l.numbers) n
    where l.table_id = _shape.table_id;
    with live as (
        select
            a.attname::text as name,
            pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
            a.attnum as position,
            -- An int2vector counts from 0; columns that the index only includes come after the key's.
            case when array_position(i.indkey::smallint[], a.attnum) < i.indnkeyatts then array_position(i.indkey::smallint[], a.attnum) end
                as key_position
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
        where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    ), known as (
        select
            l.*,
            coalesce(
                old.numbers[array_position(old.names, l.name)],
                (
                    select o.number
                    from unnest(old.numbers, old.names, old.types, old.positions) o (number, name, type, position)
                    where o.position = l.position and o.type = l.type and not exists (select from live l where l.name = o.name)
                )
            ) as number
        from live l
    ), numbered as (
        select
            k.*,
            coalesce(k.number, (highest + row_number() over (partition by k.number is null order by k.position))::smallint) as lasting
        from known k
    ), sorted as (
        select
            n.*,
            n.lasting = any (options.left_out) as left_out,
            row_number() over (order by n.key_position, n.lasting = any (options.left_out), n.position) as place
        from numbered n
    )
    select
        count(s.key_position),
        count(*) filter (where not s.left_out),
        array_agg(s.lasting order by s.place),
        array_agg(s.name order by s.place),
        array_agg(s.type order by s.place),
        array_agg(s.position order by s.place)
    into shape.key_count, shape.recorded_count, shape.numbers, shape.names, shape.types, shape.positions
    from sorted s;
    shape.table_id := table_id;
    return shape;
end;
$$;

revoke all on function versioning._shape from public;
grant execute on function versioning._shape to anon, authenticated, service_role;
comment on function versioning._shape is 'The layout of a table as the catalog has it now.';

-- Do two layouts give the same meaning to a record? Positions may differ: a restore elsewhere closes the gaps of dropped columns.
create or replace function versioning._same(a versioning.layouts, b versioning.layouts)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select (a.key_count, a.recorded_count, a.numbers, a.names, a.types) is not distinct from
        (b.key_count, b.recorded_count, b.numbers, b.names, b.types);
$$;

revoke all on function versioning._same from public;
grant execute on function versioning._same to anon, authenticated, service_role;
comment on function versioning._same is 'Do two layouts have the same columns?';

-- The layout of the table as it is now, added when it is new. A tracked table without a primary key has none.
create or replace function versioning._current_layout(table_id integer, relation regclass)
returns versioning.layouts
language plpgsql
set search_path = ''
as $$
declare
    shape versioning.layouts := versioning._shape(table_id, relation);
    newest versioning.layouts := versioning._newest_layout(table_id);
begin
    if shape.key_count = 0 then
        return null;
    end if;
    if versioning._same(shape, newest) then
        return newest;
    end if;
    insert into versioning.layouts (table_id, key_count, recorded_count, numbers, names, types, positions)
    values (table_id, shape.key_count, shape.recorded_count, shape.numbers, shape.names, shape.types, shape.positions)
    returning * into shape;
    return shape;
end;
$$;

revoke all on function versioning._current_layout from public;
comment on function versioning._current_layout is 'The layout of a table as it is now; null without a primary key.';

-- Two answers for the trigger functions, which must not read the catalog for every statement. `immutable` is not true of them, and meant:
-- the server then asks when it plans the function's expression, keeps the answer in the plan, and drops the plan when the table that
-- _relation_when_planned() answered is altered in any way, as it drops every plan that names an altered table.
create or replace function versioning._relation_when_planned(table_id integer)
returns regclass
language sql
immutable
set search_path = ''
as $$
    select versioning._relation(table_id);
$$;

revoke all on function versioning._relation_when_planned from public;
comment on function versioning._relation_when_planned is 'For trigger functions: the table, as of the plan.';

create or replace function versioning._current_when_planned(table_id integer, layout_id integer)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    layout versioning.layouts;
begin
    select l.* into layout from versioning.layouts l where l.id = layout_id;
    return versioning._same(layout, versioning._shape(table_id, versioning._relation(table_id)));
end;
$$;

revoke all on function versioning._current_when_planned from public;
comment on function versioning._current_when_planned is 'For trigger functions: has the table still this layout, as of the plan?';
