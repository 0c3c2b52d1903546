-- Rows as they were at a time.

-- Values of a version in the order of another layout: matched by the columns' lasting numbers, null where the version has none.
create or replace function versioning._fit(fields text[], layout versioning.layouts, target versioning.layouts)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select case when layout.id = target.id then fields else array(
        select fields[array_position(layout.numbers[:layout.recorded_count], n.number)]
        from unnest(target.numbers[:target.recorded_count]) with ordinality n (number, place)
        order by n.place
    ) end
    where fields is not null;
$$;

revoke all on function versioning._fit from public;
grant execute on function versioning._fit to anon, authenticated, service_role;
comment on function versioning._fit is 'Values in the order of another layout.';

-- Of the columns of `target`, which the layout does not have: they were added since.
create or replace function versioning._added(layout versioning.layouts, target versioning.layouts)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select array(
        select c.name
        from unnest(target.numbers[:target.recorded_count], target.names[:target.recorded_count]) with ordinality c (number, name, place)
        where c.number <> all (layout.numbers)
        order by c.place
    );
$$;

revoke all on function versioning._added from public;
grant execute on function versioning._added to anon, authenticated, service_role;
comment on function versioning._added is 'Columns that a layout does not have yet.';

-- The state of every row at a time, or of one row: the newest version until then, unless it ended the row. Two statements, because a plan for either
-- case would read the versions of all rows.
create or replace function versioning._states(table_id integer, at timestamptz, key text)
returns table (record versioning.records, layout versioning.layouts)
language plpgsql
stable
set search_path = ''
as $$
#variable_conflict use_column
begin
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

revoke all on function versioning._states from public;
grant execute on function versioning._states to anon, authenticated, service_role;
comment on function versioning._states is 'The versions that were in force at a time.';

-- What prune() removed cannot be told any more: say so, rather than leave rows out.
create or replace function versioning._require_unpruned(table_id integer, at timestamptz, key text)
returns void
language plpgsql
stable
set search_path = ''
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
        raise exception 'the history of % was pruned: it is whole since % only', versioning._place(table_id), pruned
            using errcode = 'no_data_found', hint = 'Ask for a later time, or restore from a backup of that time.';
    end if;
end;
$$;

revoke all on function versioning._require_unpruned from public;
grant execute on function versioning._require_unpruned to anon, authenticated, service_role;
comment on function versioning._require_unpruned is 'Raises when the state at a time was pruned.';

-- The rows of a table as they were, as rows of that table: exact, and to be joined and filtered like it. A column added since has its default,
-- a renamed one its new name, one that is left out null, a generated one is computed.
-- Example: select titre from versioning.rows_as_of(null::public.spectacles, '2026-11-01 12:00');
create or replace function versioning.rows_as_of(like_row anyelement, at timestamptz, key text default null)
returns setof anyelement
language plpgsql
stable
set search_path = ''
as $$
declare
    relation regclass := (select t.typrelid::regclass from pg_catalog.pg_type t where t.oid = pg_typeof(like_row));
    id integer := versioning._require(relation);
    shape versioning.layouts := versioning._shape(id, relation);
    wanted text := case when key is not null then versioning._key(relation, key) end;
begin
    perform versioning._require_unpruned(id, at, wanted);
    -- `offset 0`: or each level would be computed once for every column of the next.
    return query execute format(
        'select %s from (select %s from (select versioning._literal(%s)::%s as r, versioning._added(s.layout, $3) as added '
        'from (select s.layout, versioning._fit(versioning._recorded(s.record, s.layout), s.layout, $3) as v '
        'from versioning._states($1, $2, $4) s offset 0) s offset 0) s) t',
        versioning._select_list(relation),
        versioning._filled_list(relation),
        versioning._whole_row(relation, shape),
        relation
    ) using id, at, shape, wanted;
end;
$$;

revoke all on function versioning.rows_as_of from public;
grant execute on function versioning.rows_as_of to anon, authenticated, service_role;
comment on function versioning.rows_as_of is 'The rows of a table as they were at a time.';

-- All columns in the table's order; generated ones computed from the others, which `t` has.
create or replace function versioning._select_list(relation regclass)
returns text
language sql
stable
set search_path = ''
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

revoke all on function versioning._select_list from public;
grant execute on function versioning._select_list to anon, authenticated, service_role;
comment on function versioning._select_list is 'SQL for all columns of a table.';

-- The columns that are not generated, from the row `s.r`; those named in `s.added` have their defaults, unless these draw on a sequence.
create or replace function versioning._filled_list(relation regclass)
returns text
language sql
stable
set search_path = ''
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

revoke all on function versioning._filled_list from public;
grant execute on function versioning._filled_list to anon, authenticated, service_role;
comment on function versioning._filled_list is 'SQL for the columns of a row that can be written.';

-- The values `s.v`, in the shape's order, as an array with one element for every column of the table.
create or replace function versioning._whole_row(relation regclass, shape versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    select 'array[' || string_agg(
        coalesce('s.v[' || array_position(shape.names[:shape.recorded_count], a.attname::text) || ']', 'null'), ', ' order by a.attnum
    ) || ']::text[]'
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;

revoke all on function versioning._whole_row from public;
grant execute on function versioning._whole_row to anon, authenticated, service_role;
comment on function versioning._whole_row is 'SQL for the fields of a whole row.';

-- The same as JSON, for the API.
-- Example: select r ->> 'titre' from versioning.as_of('public.spectacles', '2026-11-01 12:00') r;
create or replace function versioning.as_of(relation regclass, at timestamptz, key text default null)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query execute format('select to_jsonb(r) from versioning.rows_as_of(null::%s, $1, $2) r', relation) using at, key;
end;
$$;

revoke all on function versioning.as_of from public;
grant execute on function versioning.as_of to anon, authenticated, service_role;
comment on function versioning.as_of is 'The rows of a table as they were at a time, as JSON.';
