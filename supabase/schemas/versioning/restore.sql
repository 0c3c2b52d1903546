create or replace function versioning._require_place(table_id integer)
returns regclass
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass := versioning._place(table_id);
begin
    if relation is null then
        raise exception 'Cannot restore this version: its table does not exist'
            using errcode = 'undefined_table',
                hint = 'Create the table first, under the same name, or restore it from a backup.';
    end if;
    return relation;
end;
$$;

comment on function versioning._require_place is
    'Returns where a table is that is or was tracked. Raises if it is gone.';

create or replace function versioning._require_shape(relation regclass, layout versioning.layouts)
returns versioning.layouts
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    shape versioning.layouts := versioning._shape(layout.table_id, relation);
begin
    if shape.numbers[:shape.key_count] <> layout.numbers[:layout.key_count] then
        raise exception 'Cannot restore into table "%": its primary key has changed since this version', relation
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Take the values from versioning.history and decide which row they belong to now.';
    end if;
    return shape;
end;
$$;

comment on function versioning._require_shape is
    'Returns the present layout of the table of a version. Raises if its primary key consists of other columns now.';

create or replace function versioning._begin_restoring(entity text, purpose text)
returns void
language sql
set search_path = pg_catalog, pg_temp
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

comment on function versioning._begin_restoring is
    'Tells the triggers that this row is being restored. They record its version as restore, with the purpose before '
    'the caller''s own reason.';

create or replace function versioning._end_restoring()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select
        set_config('versioning.restoring', '', true),
        set_config('versioning.reason', current_setting('versioning.own_reason'), true);
$$;

comment on function versioning._end_restoring is 'Undoes _begin_restoring().';

create or replace function versioning.restore(
    version bigint,
    columns text[] default null,
    seen bigint default null,
    if_changed text default 'refuse'
)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
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
            raise exception 'Cannot restore version %: version % belongs to another row', version, seen
                using errcode = 'invalid_parameter_value', hint = 'Pass the newest version of the same row as `seen`.';
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

comment on function versioning.restore is
    'Restores a row, or some of its columns, to what a version left; for a version that deleted the row, to what it '
    'was before. `seen` is the version that the caller takes for the newest; if the row has changed since, '
    '`if_changed` decides: refuse, merge or overwrite. Without `seen` the present row is replaced. Columns added '
    'since get their default; dropped ones are reported. The restore is a version itself, whose number is in the '
    'result. Example: select versioning.restore(1201, columns => ''{titre}'', seen => 1207, if_changed => ''merge'')';
