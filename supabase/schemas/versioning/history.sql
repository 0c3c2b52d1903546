create or replace view versioning.history with (security_invoker = true) as
select
    r.id,
    t.schema_name,
    t.table_name,
    r.key,
    versioning._number_of(r.id) as version,
    r.operation,
    r.at,
    r.actor,
    r.role,
    r.reason,
    r.transaction,
    versioning._changed(versioning._before(r, l), versioning._after(r, l), l) as changed,
    versioning._object(versioning._before(r, l), l) as before,
    versioning._object(versioning._after(r, l), l) as after,
    r.table_id
from versioning.records r
join versioning.tables t on t.id = r.table_id
join versioning.layouts l on l.id = r.layout_id;

comment on view versioning.history is 'Every version of every tracked row that the caller may read.';
comment on column versioning.history.id is 'Number of the version among all versions; diff() and restore() take it.';
comment on column versioning.history.schema_name is 'Schema of the table.';
comment on column versioning.history.table_name is 'Name of the table.';
comment on column versioning.history.key is
    'Primary key as text; for several columns the text of a row: row(a, b)::text.';
comment on column versioning.history.version is 'Number among the versions of this row, from 1, without gaps.';
comment on column versioning.history.operation is
    'create, update, publish, unpublish, delete, restore or truncate; baseline for a row found when tracking began.';
comment on column versioning.history.at is 'When the change was made.';
comment on column versioning.history.actor is 'Who made the change: auth.uid().';
comment on column versioning.history.role is 'The role that made the change.';
comment on column versioning.history.reason is 'Why, if given by versioning.because() or the header x-reason.';
comment on column versioning.history.transaction is 'Number of the transaction; undo() takes it.';
comment on column versioning.history.changed is 'Columns that changed, by their names at that time.';
comment on column versioning.history.before is 'The row before the change; null if there was none.';
comment on column versioning.history.after is 'The row after the change; null if there is none.';
comment on column versioning.history.table_id is 'Number of the table in versioning.tables.';

create or replace function versioning._key(relation regclass, key text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
declare
    layout versioning.layouts := versioning._newest_layout(versioning._require(relation));
    fields text[] := versioning._key_values(key, layout.key_count);
    written text;
begin
    execute format(
        'select %s from (select %s) k',
        versioning._key_text(relation, layout, 'k'),
        (
            select string_agg(
                versioning._value_of(to_regtype(c.type), format('($1)[%s]', c.place)) || format(' as %I', c.name),
                ', ' order by c.place
            )
            from unnest(layout.names[:layout.key_count], layout.types[:layout.key_count]) with ordinality c (name, type, place)
        )
    ) into written using fields;
    return written;
end;
$$;

comment on function versioning._key is
    'Returns a key as the history writes it, from a key as people write it: 7 for 007, a uuid in lower case.';

create or replace function versioning.versions(relation regclass, key text)
returns setof versioning.history
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    -- Those who may read one version of a row may read all, so they are counted once, from the number of the oldest.
    -- The view would count each version again.
    select
        h.id, h.schema_name, h.table_name, h.key,
        (versioning._number_of(min(h.id) over ()) + row_number() over (order by h.id) - 1)::integer,
        h.operation, h.at, h.actor, h.role, h.reason, h.transaction, h.changed, h.before, h.after, h.table_id
    from versioning.history h
    where h.table_id = versioning._require(relation) and h.key = versioning._key(relation, versions.key)
    order by h.id desc;
$$;

comment on function versioning.versions is
    'Returns the versions of a row, newest first. Example: select version, at, operation, changed from '
    'versioning.versions(''public.spectacles'', ''6f1c…'')';

create or replace function versioning._record(version bigint, out record versioning.records, out layout versioning.layouts)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select r.* into record from versioning.records r where r.id = version;
    select l.* into layout from versioning.layouts l where l.id = record.layout_id;
    if not found then
        raise exception 'Version % does not exist or you may not read it', version
            using errcode = 'no_data_found',
                hint = 'versioning.history shows all versions that you may read. Only editors read those of deleted rows.';
    end if;
end;
$$;

comment on function versioning._record is
    'Returns a stored version with its layout. Raises if the caller may not read it.';

create or replace function versioning.diff(version bigint, other bigint default null)
returns table (column_name text, type text, before text, after text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    a record := versioning._record(version);
    b record := versioning._record(coalesce(other, version));
    earlier text[] := case when other is null then versioning._before(a.record, a.layout) else versioning._after(a.record, a.layout) end;
    later text[] := versioning._after(b.record, b.layout);
    old_layout versioning.layouts := a.layout;
    new_layout versioning.layouts := b.layout;
begin
    if old_layout.table_id <> new_layout.table_id then
        raise exception 'Cannot compare versions % and %: they belong to different tables', version, other
            using errcode = 'invalid_parameter_value', hint = 'Compare versions of the same table.';
    end if;
    return query
    select
        case when old_layout.id > new_layout.id then coalesce(o.name, n.name) else coalesce(n.name, o.name) end,
        coalesce(n.type, o.type),
        o.value,
        n.value
    from unnest(
        earlier, old_layout.numbers[:old_layout.recorded_count], old_layout.names[:old_layout.recorded_count], old_layout.types[:old_layout.recorded_count]
    ) with ordinality o (value, number, name, type, place)
    full join unnest(
        later, new_layout.numbers[:new_layout.recorded_count], new_layout.names[:new_layout.recorded_count], new_layout.types[:new_layout.recorded_count]
    ) with ordinality n (value, number, name, type, place) on n.number = o.number
    where o.value is distinct from n.value
    order by n.place, o.place;
end;
$$;

comment on function versioning.diff is
    'Returns the columns in which the rows of two versions differ, or that one version changed, with PostgreSQL''s '
    'text of the values. Renamed columns are matched and have the later name. Example: select * from '
    'versioning.diff(1201, 1207)';

create or replace function versioning._short(value text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when value is null then '∅' when length(value) > 40 then '“' || left(value, 39) || '…”' else '“' || value || '”' end;
$$;

comment on function versioning._short is 'Returns a value in quotes, shortened to 40 characters.';

create or replace function versioning.summary(version versioning.history)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select version.operation || case
        when version.operation in ('update', 'publish', 'unpublish', 'restore') and version.before is not null then coalesce(
            ': ' || string_agg(
                format('%s %s → %s', c.name, versioning._short(version.before ->> c.name), versioning._short(version.after ->> c.name)),
                ', ' order by c.place
            ),
            ''
        )
        else ''
    end
    from unnest(version.changed) with ordinality c (name, place);
$$;

comment on function versioning.summary is
    'Returns a version as one line of text. PostgREST offers it as a column of versioning.history.';
