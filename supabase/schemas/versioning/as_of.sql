create or replace function versioning._fit(fields text[], layout versioning.layouts, target versioning.layouts)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when layout.id = target.id then fields else array(
        select fields[array_position(layout.numbers[:layout.recorded_count], n.number)]
        from unnest(target.numbers[:target.recorded_count]) with ordinality n (number, place)
        order by n.place
    ) end
    where fields is not null;
$$;

comment on function versioning._fit is
    'Returns values in the order of another layout, by the permanent numbers of its columns; null for missing ones.';

create or replace function versioning._added(layout versioning.layouts, target versioning.layouts)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select array(
        select c.name
        from unnest(target.numbers[:target.recorded_count], target.names[:target.recorded_count]) with ordinality c (number, name, place)
        where c.number <> all (layout.numbers)
        order by c.place
    );
$$;

comment on function versioning._added is
    'Returns the names of the columns of `target` that were added after `layout`.';

create or replace function versioning._states(table_id integer, at timestamptz, key text)
returns table (record versioning.records, layout versioning.layouts)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    -- Two statements: one plan for both cases would read the versions of all rows.
    return query
    select s.r, l
    from (
        select r
        from versioning.records r
        where r.table_id = _states.table_id and r.key = _states.key and r.at <= _states.at
        order by r.id desc
        limit 1
    ) s
    join versioning.layouts l on l.id = (s.r).layout_id
    where (s.r).operation not in ('delete', 'truncate');
    if _states.key is null then
        return query
        select s.r, l
        from (
            select distinct on (r.key) r
            from versioning.records r
            where r.table_id = _states.table_id and r.at <= _states.at
            order by r.key, r.id desc
        ) s
        join versioning.layouts l on l.id = (s.r).layout_id
        where (s.r).operation not in ('delete', 'truncate');
    end if;
end;
$$;

comment on function versioning._states is
    'Returns the version of each row, or of one row, that was current at a time, except of rows that did not exist '
    'then.';

create or replace function versioning._require_unpruned(table_id integer, at timestamptz, key text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    pruned timestamptz;
begin
    if key is null then
        select max(r.at) into pruned
        from versioning.records r
        where r.table_id = _require_unpruned.table_id and r.number is not null and r.at > _require_unpruned.at;
    else
        select max(r.at) into pruned
        from versioning.records r
        where r.table_id = _require_unpruned.table_id and r.number is not null and r.at > _require_unpruned.at
            and r.key = _require_unpruned.key;
    end if;
    if pruned is not null then
        raise exception 'Cannot read table "%" at that time: its history was pruned and is complete only since %', versioning._place(table_id), pruned
            using errcode = 'no_data_found', hint = 'Choose a later time, or restore from a backup of that time.';
    end if;
end;
$$;

comment on function versioning._require_unpruned is
    'Raises if prune() removed the state at a time, instead of leaving rows out.';

create or replace function versioning.rows_as_of(like_row anyelement, at timestamptz, key text default null)
returns setof anyelement
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass := (select t.typrelid::regclass from pg_catalog.pg_type t where t.oid = pg_typeof(like_row));
    id integer := versioning._require(relation);
    shape versioning.layouts := versioning._shape(id, relation);
    newest versioning.layouts := versioning._newest_layout(id);
    wanted text := case when key is not null then versioning._key(relation, key) end;
begin
    perform versioning._require_safe_types(relation);
    perform versioning._require_unpruned(id, at, wanted);
    if versioning._same(shape, newest) then
        shape := newest;
    end if;
    -- Most versions have the present layout and need no fitting. Without `offset 0` each level would be computed once
    -- for every column of the next.
    return query execute format(
        'select %s from (select %s from (select versioning._row(null::%s, %s) as r, '
        'case when (s.layout).id = ($3).id then ''{}'' else versioning._added(s.layout, $3) end as added '
        'from (select s.layout, case when (s.layout).id = ($3).id then versioning._recorded(s.record, s.layout) '
        'else versioning._fit(versioning._recorded(s.record, s.layout), s.layout, $3) end as v '
        'from versioning._states($1, $2, $4) s offset 0) s offset 0) s) t',
        versioning._select_list(relation),
        versioning._filled_list(relation),
        relation,
        versioning._whole_row(relation, shape)
    ) using id, at, shape, wanted;
end;
$$;

comment on function versioning.rows_as_of is
    'Returns the rows of a table as they were at a time, as exact rows of that table. A column added since has its '
    'default, a renamed column its new name, a column that is left out null; generated columns are computed. '
    'Example: select titre from versioning.rows_as_of(null::public.spectacles, ''2026-11-01 12:00'')';

create or replace function versioning._select_list(relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(
        case
            when a.attgenerated = '' then format('t.%I', a.attname)
            else format('(%s)::%s', pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.format_type(a.atttypid, a.atttypmod))
        end,
        ', ' order by a.attnum
    )
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;

comment on function versioning._select_list is
    'Returns SQL for all columns of a table in order, from the row `t`; generated columns are computed from the '
    'others.';

create or replace function versioning._filled_list(relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(
        format(
            case
                when d.adbin is null or pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '\mnextval\(' then '(s.r).%1$I as %1$I'
                else 'case when %1$L = any (s.added) then (%2$s)::%3$s else (s.r).%1$I end as %1$I'
            end,
            a.attname,
            pg_catalog.pg_get_expr(d.adbin, d.adrelid),
            pg_catalog.format_type(a.atttypid, a.atttypmod)
        ),
        ', ' order by a.attnum
    )
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
$$;

comment on function versioning._filled_list is
    'Returns SQL for the columns that are not generated, from the row `s.r`. Those named in `s.added` have their '
    'defaults, except defaults that draw on a sequence.';

create or replace function versioning._whole_row(relation regclass, shape versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select 'array[' || string_agg(
        coalesce('s.v[' || array_position(shape.names[:shape.recorded_count], a.attname::text) || ']', 'null'), ', ' order by a.attnum
    ) || ']::text[]'
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;

comment on function versioning._whole_row is
    'Returns SQL for an array with one element per column of a table, from the values `s.v` in the order of the '
    'layout.';

create or replace function versioning.as_of(relation regclass, at timestamptz, key text default null)
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query execute format('select versioning._json_of_row(r) from versioning.rows_as_of(null::%s, $1, $2) r', relation) using at, key;
end;
$$;

comment on function versioning.as_of is
    'Returns rows_as_of() as JSON, for the API. Example: select r ->> ''titre'' from '
    'versioning.as_of(''public.spectacles'', ''2026-11-01 12:00'') r';
