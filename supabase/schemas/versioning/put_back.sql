create or replace function versioning._present(relation regclass, shape versioning.layouts, key_values text[])
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
declare
    statement text := format(
        'select pg_catalog.textin(pg_catalog.record_out(row(%s))) from %s t where %s',
        (
            select string_agg(format('t.%I', n.name), ', ' order by n.place)
            from unnest(shape.names[:shape.recorded_count]) with ordinality n (name, place)
        ),
        relation,
        versioning._by_key(relation, 't', key_values)
    );
    found text;
begin
    if has_table_privilege(relation, 'update') then
        execute statement || ' for update' into found;
    end if;
    -- Policies may let the caller see the row but not change it.
    if found is null then
        execute statement into found;
    end if;
    return versioning._values(found);
end;
$$;

comment on function versioning._present is
    'Returns the values of a row as it is now, as text in the order of the layout; null if there is no row. Locks '
    'the row if the caller may change it.';

create or replace function versioning._put_back(
    table_id integer,
    key text,
    target text[],
    layout versioning.layouts,
    base text[],
    base_layout versioning.layouts,
    columns text[],
    if_changed text,
    purpose text
)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass := versioning._require_place(table_id);
    shape versioning.layouts;
    key_values text[];
    present text[];
    wanted text[];
    expected text[];
    added text[];
    changed_since text[];
    conflict boolean;
    chosen text[];
    assigned text[];
    defaulted text[];
    dropped text[];
    affected bigint;
begin
    if if_changed is null or if_changed not in ('refuse', 'merge', 'overwrite') then
        raise exception 'if_changed => "%" is not valid', if_changed
            using errcode = 'invalid_parameter_value', hint = 'Use refuse, merge or overwrite.';
    end if;
    shape := versioning._require_shape(relation, layout);
    key_values := versioning._key_values(key, shape.key_count);
    present := versioning._present(relation, shape, key_values);
    wanted := versioning._fit(target, layout, shape);
    expected := versioning._fit(base, base_layout, shape);
    added := case when target is null then '{}' else versioning._added(layout, shape) end;
    dropped := case when target is null then '{}' else versioning._added(shape, layout) end;

    -- Columns added since the base do not count as changes of the row.
    changed_since := array(
        select c.name
        from unnest(expected, present, shape.names[:shape.recorded_count]) c (was, is_now, name)
        where c.was is distinct from c.is_now and base is not null and c.name <> all (versioning._added(base_layout, shape))
    );
    conflict := (present is null) <> (base is null) or present is not null and cardinality(changed_since) > 0;
    if conflict and if_changed = 'refuse' then
        raise exception 'Cannot restore row "%" of table "%": %', key, relation, case
            when present is null then 'it was deleted since'
            when base is null then 'it exists again'
            else format('it was changed since: %s', array_to_string(changed_since, ', '))
        end
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Look at its newest versions, then choose if_changed: merge keeps later changes, overwrite does not.';
    end if;
    if conflict and if_changed = 'merge' and (present is null or base is null or target is null) then
        return jsonb_build_object('outcome', 'kept', 'table', relation, 'key', key);
    end if;

    chosen := versioning._chosen(shape, columns, present is null);
    perform versioning._begin_restoring(table_id || ':' || key, purpose);
    if target is null then
        execute format('delete from %s t where %s', relation, versioning._by_key(relation, 't', key_values));
        get diagnostics affected = row_count;
        assigned := '{}';
        affected := case when present is null then 1 else affected end;
    elsif present is null then
        assigned := array(
            select n from unnest(shape.names[:shape.recorded_count]) with ordinality c (n, place) where n <> all (added) order by place
        );
        defaulted := added;
        execute format(
            'insert into %1$s (%2$s) overriding system value select %3$s from (select versioning._row(null::%1$s, $1) as r) s',
            relation,
            (select string_agg(format('%I', n), ', ' order by place) from unnest(assigned) with ordinality a (n, place)),
            (select string_agg(format('(s.r).%I', n), ', ' order by place) from unnest(assigned) with ordinality a (n, place))
        ) using versioning._whole(relation, shape, wanted);
        get diagnostics affected = row_count;
    else
        if if_changed <> 'merge' then
            changed_since := '{}';
        end if;
        assigned := array(
            select c.name
            from unnest(wanted, present, shape.names[:shape.recorded_count]) with ordinality c (wanted, present, name, place)
            where c.wanted is distinct from c.present and c.name = any (chosen) and c.name <> all (added || changed_since)
            order by c.place
        );
        defaulted := array(select n from unnest(added) n where n = any (chosen) and n <> all (changed_since));
        affected := 1;
        if cardinality(assigned || defaulted) > 0 then
            execute format(
                'update %1$s t set %2$s from (select versioning._row(null::%1$s, $1) as r) s where %3$s',
                relation,
                (
                    select string_agg(format(case when n = any (defaulted) then '%1$I = default' else '%1$I = (s.r).%1$I' end, n), ', ')
                    from unnest(assigned || defaulted) n
                ),
                versioning._by_key(relation, 't', key_values)
            ) using versioning._whole(relation, shape, wanted);
            get diagnostics affected = row_count;
        end if;
    end if;
    perform versioning._end_restoring();
    if affected = 0 then
        raise exception 'Cannot restore row "%" of table "%": you may not change it', key, relation
            using errcode = 'insufficient_privilege',
                hint = 'Check the policies and triggers of the table: they apply to a restore too.';
    end if;
    return jsonb_build_object(
        'outcome', case
            when target is null then 'deleted'
            when present is null then 'inserted'
            when cardinality(assigned || defaulted) > 0 then 'updated'
            else 'unchanged'
        end,
        'table', relation,
        'key', key,
        'restored', assigned,
        'defaulted', coalesce(defaulted, '{}'),
        'kept', case when if_changed = 'merge' then changed_since else '{}' end,
        'dropped', dropped
    );
end;
$$;

comment on function versioning._put_back is
    'Makes the row of a key equal to `target`, in the order of `layout`; null deletes it. It is a statement of the '
    'caller: grants, policies, checks and triggers of the table apply. `base`, in the order of `base_layout`, is '
    'what the caller takes the row to be now. If it is something else, it has changed since: refuse raises, merge '
    'keeps the changed columns, overwrite does not. Returns what was done with which columns.';

create or replace function versioning._chosen(shape versioning.layouts, columns text[], gone boolean)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    possible text[] := shape.names[shape.key_count + 1:shape.recorded_count];
begin
    if columns is null then
        return possible;
    end if;
    if gone then
        raise exception 'Cannot restore single columns: the row does not exist'
            using errcode = 'no_data_found', hint = 'Restore the whole row: omit `columns`.';
    end if;
    if not columns <@ possible then
        raise exception 'Cannot restore columns "%"',
            array_to_string(array(select c from unnest(columns) c where c <> all (possible)), '", "')
            using errcode = 'undefined_column', hint = format('The columns are: %s.', array_to_string(possible, ', '));
    end if;
    return columns;
end;
$$;

comment on function versioning._chosen is
    'Returns the columns to restore: those named, or all but the key. Raises for single columns of a row that is '
    'gone.';

create or replace function versioning._whole(relation regclass, shape versioning.layouts, fields text[])
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select array_agg(fields[array_position(shape.names[:shape.recorded_count], a.attname::text)] order by a.attnum)
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;

comment on function versioning._whole is
    'Returns an array with one value per column of a table, from values in the order of its layout.';
