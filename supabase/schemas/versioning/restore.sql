-- Putting rows back, with the rights of who asks: grants, policies, checks and triggers of the table hold as for any other statement.

-- The row as it is now, its values in the shape's order and text; null when it is not there. Locked until the transaction ends, where the
-- caller may change it.
create or replace function versioning._present(relation regclass, shape versioning.layouts, key_values text[])
returns text[]
language plpgsql
set search_path = ''
set timezone = 'UTC'
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
declare
    statement text := format(
        'select row(%s)::text from %s t where %s',
        (
            select string_agg(format('t.%I', n.name), ', ' order by n.place)
            from unnest(shape.names[:shape.recorded_count]) with ordinality n (name, place)
        ),
        relation,
        versioning._by_key(relation, 't')
    );
    found text;
begin
    if has_table_privilege(relation, 'update') then
        execute statement || ' for update' into found using key_values;
    end if;
    -- Policies may let the caller see the row and not change it.
    if found is null then
        execute statement into found using key_values;
    end if;
    return versioning._values(found);
end;
$$;

revoke all on function versioning._present from public;
grant execute on function versioning._present to anon, authenticated, service_role;
comment on function versioning._present is 'The values of a row as it is now.';

-- Where a row is to be put back.
create or replace function versioning._require_place(table_id integer)
returns regclass
language plpgsql
stable
set search_path = ''
as $$
declare
    relation regclass := versioning._place(table_id);
begin
    if relation is null then
        raise exception 'the table of this version is gone'
            using errcode = 'undefined_table', hint = 'Create it first, by the name that it had, or restore it from a backup.';
    end if;
    return relation;
end;
$$;

revoke all on function versioning._require_place from public;
grant execute on function versioning._require_place to anon, authenticated, service_role;
comment on function versioning._require_place is 'Where a table is that is or was tracked; raises when it is gone.';

-- The table's layout now, under which the key of a version has to mean what it meant.
create or replace function versioning._require_shape(relation regclass, layout versioning.layouts)
returns versioning.layouts
language plpgsql
stable
set search_path = ''
as $$
declare
    shape versioning.layouts := versioning._shape(layout.table_id, relation);
begin
    if shape.numbers[:shape.key_count] <> layout.numbers[:layout.key_count] then
        raise exception 'table % has another primary key now than in this version', relation
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Take the values from versioning.history: which row they belong to now, a person has to say.';
    end if;
    return shape;
end;
$$;

revoke all on function versioning._require_shape from public;
grant execute on function versioning._require_shape to anon, authenticated, service_role;
comment on function versioning._require_shape is 'The present layout of a version''s table; raises when its primary key is another.';

-- Makes the row of a key be `target`, which is in the order of `layout`; null: there shall be none. `base` is what the caller takes the row to be,
-- in the order of `base_layout`. Where the row is something else, it was changed since: `refuse` raises, `merge` leaves changed columns
-- as they are now, `overwrite` does not care. Answers what was done with which columns.
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
set search_path = ''
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
        raise exception 'if_changed is "%"', if_changed
            using errcode = 'invalid_parameter_value', hint = 'Give refuse, merge or overwrite.';
    end if;
    shape := versioning._require_shape(relation, layout);
    key_values := versioning._key_values(key, shape.key_count);
    present := versioning._present(relation, shape, key_values);
    wanted := versioning._fit(target, layout, shape);
    expected := versioning._fit(base, base_layout, shape);
    added := case when target is null then '{}' else versioning._added(layout, shape) end;
    dropped := case when target is null then '{}' else versioning._added(shape, layout) end;

    -- Columns added since the base are nobody's change of the row.
    changed_since := array(
        select c.name
        from unnest(expected, present, shape.names[:shape.recorded_count]) c (was, is_now, name)
        where c.was is distinct from c.is_now and base is not null and c.name <> all (versioning._added(base_layout, shape))
    );
    conflict := (present is null) <> (base is null) or present is not null and cardinality(changed_since) > 0;
    if conflict and if_changed = 'refuse' then
        raise exception 'row % of table % was changed since: %', key, relation, case
            when present is null then 'it is gone'
            when base is null then 'it is there again'
            else array_to_string(changed_since, ', ')
        end
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Look at its newest versions; then give if_changed: merge keeps what was changed since, overwrite does not.';
    end if;
    if conflict and if_changed = 'merge' and (present is null or base is null or target is null) then
        return jsonb_build_object('outcome', 'kept', 'table', relation, 'key', key);
    end if;

    chosen := versioning._chosen(shape, columns, present is null);
    perform versioning._begin_restoring(table_id || ':' || key, purpose);
    if target is null then
        execute format('delete from %s t where %s', relation, versioning._by_key(relation, 't')) using key_values;
        get diagnostics affected = row_count;
        assigned := '{}';
        affected := case when present is null then 1 else affected end;
    elsif present is null then
        assigned := array(
            select n from unnest(shape.names[:shape.recorded_count]) with ordinality c (n, place) where n <> all (added) order by place
        );
        defaulted := added;
        execute format(
            'insert into %1$s (%2$s) overriding system value select %3$s from (select $1::%1$s as r) s',
            relation,
            (select string_agg(format('%I', n), ', ' order by place) from unnest(assigned) with ordinality a (n, place)),
            (select string_agg(format('(s.r).%I', n), ', ' order by place) from unnest(assigned) with ordinality a (n, place))
        ) using versioning._row_literal(relation, shape, wanted);
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
                'update %1$s t set %2$s from (select $2::%1$s as r) s where %3$s',
                relation,
                (
                    select string_agg(format(case when n = any (defaulted) then '%1$I = default' else '%1$I = (s.r).%1$I' end, n), ', ')
                    from unnest(assigned || defaulted) n
                ),
                versioning._by_key(relation, 't')
            ) using key_values, versioning._row_literal(relation, shape, wanted);
            get diagnostics affected = row_count;
        end if;
    end if;
    perform versioning._end_restoring();
    if affected = 0 then
        raise exception 'row % of table % was not put back: you may not change it', key, relation
            using errcode = 'insufficient_privilege', hint = 'The policies of the table, or a trigger, hold for a restore too.';
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

revoke all on function versioning._put_back from public;
grant execute on function versioning._put_back to anon, authenticated, service_role;
comment on function versioning._put_back is 'Makes a row be what it was.';

-- The columns to put back: those named, or all but the key. Of a row that is gone only all.
create or replace function versioning._chosen(shape versioning.layouts, columns text[], gone boolean)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    possible text[] := shape.names[shape.key_count + 1:shape.recorded_count];
begin
    if columns is null then
        return possible;
    end if;
    if gone then
        raise exception 'single columns cannot be restored: the row is gone'
            using errcode = 'no_data_found', hint = 'Restore all of it: leave out `columns`.';
    end if;
    if not columns <@ possible then
        raise exception 'columns cannot be restored: %', array(select c from unnest(columns) c where c <> all (possible))
            using errcode = 'undefined_column', hint = format('There are: %s.', array_to_string(possible, ', '));
    end if;
    return columns;
end;
$$;

revoke all on function versioning._chosen from public;
grant execute on function versioning._chosen to anon, authenticated, service_role;
comment on function versioning._chosen is 'The columns that a restore is about.';

-- Text that a cast to the table's row type takes: its input functions then read exactly what its output functions wrote.
create or replace function versioning._row_literal(relation regclass, shape versioning.layouts, fields text[])
returns text
language sql
stable
set search_path = ''
as $$
    select versioning._literal(array_agg(fields[array_position(shape.names[:shape.recorded_count], a.attname::text)] order by a.attnum))
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;

revoke all on function versioning._row_literal from public;
grant execute on function versioning._row_literal to anon, authenticated, service_role;
comment on function versioning._row_literal is 'A whole row''s text.';

-- The trigger calls the version of this one row `restore`, and gives it the purpose as reason, before the caller's own: because(), or the header.
create or replace function versioning._begin_restoring(entity text, purpose text)
returns void
language sql
set search_path = ''
as $$
    select
        set_config('versioning.own_reason', coalesce(current_setting('versioning.reason', true), ''), true),
        set_config(
            'versioning.reason',
            concat_ws(': ', purpose, coalesce(
                nullif(current_setting('versioning.reason', true), ''),
                nullif(current_setting('request.headers', true), '')::json ->> 'x-reason'
            )),
            true
        ),
        set_config('versioning.restoring', entity, true);
$$;

revoke all on function versioning._begin_restoring from public;
grant execute on function versioning._begin_restoring to anon, authenticated, service_role;
comment on function versioning._begin_restoring is 'Says to the triggers that a row is being restored.';

create or replace function versioning._end_restoring()
returns void
language sql
set search_path = ''
as $$
    select
        set_config('versioning.restoring', '', true),
        set_config('versioning.reason', current_setting('versioning.own_reason'), true);
$$;

revoke all on function versioning._end_restoring from public;
grant execute on function versioning._end_restoring to anon, authenticated, service_role;
comment on function versioning._end_restoring is 'Ends what _begin_restoring() began.';

-- Puts a row back to what a version left, or, of a version that ended it, to what it was then: also when it is gone, also only some `columns`.
-- `seen` is the version that the caller takes for the newest; when the row was changed since, `if_changed` decides: refuse, merge or
-- overwrite. Without `seen` the row is taken as it is. Columns added since the version get their default, dropped ones are reported. The restore is
-- a version itself, whose number is in the answer, and can be undone.
-- Example: select versioning.restore(1201, columns => '{titre}', seen => 1207, if_changed => 'merge');
create or replace function versioning.restore(
    version bigint,
    columns text[] default null,
    seen bigint default null,
    if_changed text default 'refuse'
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    target record := versioning._record(version);
    found versioning.records := target.record;
    relation regclass := versioning._require_place(found.table_id);
    base record;
    base_values text[];
    base_layout versioning.layouts;
    newest bigint;
    done jsonb;
begin
    if seen is null then
        base_layout := versioning._require_shape(relation, target.layout);
        base_values := versioning._present(relation, base_layout, versioning._key_values(found.key, base_layout.key_count));
    else
        base := versioning._record(seen);
        if ((base.record).table_id, (base.record).key) <> (found.table_id, found.key) then
            raise exception 'version % is of another row than version %', seen, version
                using errcode = 'invalid_parameter_value', hint = 'Give as `seen` the newest version of the same row.';
        end if;
        base_layout := base.layout;
        base_values := versioning._after(base.record, base.layout);
    end if;
    newest := (select max(r.id) from versioning.records r where r.table_id = found.table_id and r.key = found.key);
    done := versioning._put_back(
        found.table_id, found.key, versioning._recorded(found, target.layout), target.layout,
        base_values, base_layout, columns, if_changed, 'restored version ' || version
    );
    return done || jsonb_build_object('version', (
        select max(r.id) from versioning.records r where r.table_id = found.table_id and r.key = found.key and r.id > coalesce(newest, 0)
    ));
end;
$$;

revoke all on function versioning.restore from public;
grant execute on function versioning.restore to anon, authenticated, service_role;
comment on function versioning.restore is 'Puts a row back to a version of it.';
