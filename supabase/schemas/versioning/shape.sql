create or replace function versioning._relation(table_id integer)
returns regclass
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select c.oid::regclass
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    -- Partitions have the triggers too; this means the partitioned table, not a table that was a partition once.
    where t.tgfoid = to_regproc('versioning._record_' || table_id) and not c.relispartition
    order by c.relkind = 'p' desc, t.oid
    limit 1;
$$;

comment on function versioning._relation is
    'Returns where a tracked table is, whatever its name is by now; null if it is not tracked. Its triggers show it.';

create or replace function versioning._find(relation regclass)
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select substring(t.tgfoid::regproc::text from '^versioning\._record_([0-9]+)$')::integer as number
            from pg_catalog.pg_trigger t
            where t.tgrelid = relation and t.tgfoid::regproc::text ~ '^versioning\._record_[0-9]+$'
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

comment on function versioning._find is
    'Returns the number of a table: by its triggers, or by its name if it was tracked before; null for any other '
    'table.';

create or replace function versioning._require(relation regclass)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found integer := versioning._find(relation);
begin
    if found is null then
        raise exception 'Table "%" has no history: it is not tracked', relation
            using errcode = 'undefined_object', hint = format('Start one: select versioning.track(%L)', relation);
    end if;
    return found;
end;
$$;

comment on function versioning._require is
    'Returns the number of a table that is or was tracked. Raises for any other table.';

create or replace function versioning._newest_layout(table_id integer)
returns versioning.layouts
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select l from versioning.layouts l where l.table_id = _newest_layout.table_id order by l.id desc limit 1;
$$;

comment on function versioning._newest_layout is 'Returns the newest known layout of a table.';

create or replace function versioning._shape(table_id integer, relation regclass)
returns versioning.layouts
language plpgsql
stable
set search_path = pg_catalog, pg_temp
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
            -- An int2vector counts from 0. Columns that the index only includes come after those of the key.
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
                -- A renamed column has the position and the type of one that is gone.
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

comment on function versioning._shape is
    'Returns the layout of a table as the catalog has it now, with null for its id. A column with a known name keeps '
    'its number, and so does a renamed column; any other column is new.';

create or replace function versioning._same(a versioning.layouts, b versioning.layouts)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    -- Positions may differ: a restore elsewhere closes the gaps of dropped columns.
    select (a.key_count, a.recorded_count, a.numbers, a.names, a.types) is not distinct from
        (b.key_count, b.recorded_count, b.numbers, b.names, b.types);
$$;

comment on function versioning._same is
    'Returns whether two layouts have the same columns, so that records mean the same under both.';
