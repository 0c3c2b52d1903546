create or replace function versioning_private.require_trackable(relation regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    table_ pg_catalog.pg_class;
    reason text;
    hint text;
begin
    select c.* into table_ from pg_catalog.pg_class c where c.oid = relation;
    if table_.oid is null then
        raise exception 'Cannot track: no table given'
            using errcode = 'undefined_table', hint = 'Name a table: select versioning.track(''public.spectacles'')';
    end if;
    if table_.relkind not in ('r', 'p') then
        reason := 'it is not a table';
        hint := 'Track the tables that it reads.';
    elsif table_.relpersistence = 't' or table_.relnamespace in ('versioning'::regnamespace, 'versioning_private'::regnamespace) then
        reason := 'it is temporary or part of versioning itself';
        hint := 'Track the tables of your project.';
    elsif table_.relispartition then
        reason := 'it is a partition';
        hint := format(
            'Track the partitioned table: select versioning.track(%L)',
            (
                select a.relid from pg_catalog.pg_partition_ancestors(relation) with ordinality a (relid, level)
                order by a.level desc limit 1
            )
        );
    elsif exists (
        select from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where relation in (i.inhrelid, i.inhparent) and not c.relispartition
    ) then
        reason := 'it inherits or is inherited from, and statements on a parent change its children unseen';
        hint := 'Use partitions or separate tables.';
    elsif not exists (select from pg_catalog.pg_index i where i.indrelid = relation and i.indisprimary) then
        reason := 'it has no primary key';
        hint := format('Add one: alter table %s add primary key (…)', relation);
    end if;
    if reason is not null then
        raise exception 'Cannot track table "%": %', relation, reason
            using errcode = 'feature_not_supported', hint = hint;
    end if;
end;
$$;

comment on function versioning_private.require_trackable is 'Raises if a table cannot have a history.';

create or replace function versioning_private.column_numbers(shape versioning.layouts, names text[])
returns smallint[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    unknown text;
begin
    select n into unknown from unnest(names) n where n <> all (shape.names);
    if unknown is not null then
        raise exception 'Cannot find column "%" among the columns that can be recorded', unknown
            using errcode = 'undefined_column',
                hint = format('The columns are: %s.', array_to_string(shape.names, ', '));
    end if;
    return array(select shape.numbers[array_position(shape.names, n)] from unnest(names) n);
end;
$$;

comment on function versioning_private.column_numbers is
    'Returns the permanent numbers of columns. Raises for an unknown column.';

create or replace function versioning.track(
    relation regclass,
    left_out text[] default null,
    published text default null,
    keep_versions integer default null,
    keep_for interval default null
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
declare
    number integer;
    shape versioning.layouts;
    layout versioning.layouts;
    options smallint[];
    found bigint := 0;
begin
    perform versioning_private.require_trackable(relation);
    -- No write may happen between reading the rows and recording the first change.
    execute format('lock table %s in share row exclusive mode', relation);
    perform versioning_private.follow_renames();
    number := versioning._find(relation);
    if number is null then
        insert into versioning.tables (schema_name, table_name)
        select c.relnamespace::regnamespace::name, c.relname from pg_catalog.pg_class c where c.oid = relation
        returning tables.id into number;
    end if;
    shape := versioning._shape(number, relation);
    options := versioning_private.column_numbers(shape, array_remove(left_out || published, null));
    if shape.numbers[:shape.key_count] && options[:coalesce(cardinality(left_out), 0)] then
        raise exception 'Cannot leave out a column of the primary key'
            using errcode = 'invalid_parameter_value',
                hint = 'Name other columns: versions are found by the primary key.';
    end if;
    if published is not null and shape.types[array_position(shape.names, published)] !~ '^(boolean|date|timestamp)' then
        raise exception 'Cannot use column "%" to recognize published rows', published
            using errcode = 'datatype_mismatch', hint = 'Name a column of type boolean, date or timestamp.';
    end if;
    update versioning.tables t
    set tracked = true,
        left_out = case when track.left_out is null then t.left_out else options[:cardinality(track.left_out)] end,
        published = coalesce(case when track.published is not null then options[cardinality(options)] end, t.published),
        keep_versions = coalesce(track.keep_versions, t.keep_versions),
        keep_for = coalesce(track.keep_for, t.keep_for)
    where t.id = number;
    layout := versioning_private.current_layout(number, relation);
    perform versioning_private.define_trigger_function(number, relation, layout);
    if versioning_private.attach_triggers(number, relation) then
        perform versioning_private.require_safe_read(
            relation, 'track', 'Track it as the owner of the table, or drop the object.');
        execute versioning_private.recording_statement(number, relation, layout, 'BASELINE');
        get diagnostics found = row_count;
        perform versioning_private.record_vanished_rows(number, relation, layout);
        perform versioning_private.ensure_schedule();
    end if;
    return found;
end;
$$;

comment on function versioning.track is
    'Starts the history of a table or changes its options; null leaves an option as it is. Existing rows that the '
    'history does not know each get a version, baseline; returns their number. Calling it twice is harmless. '
    'Example: select versioning.track(''public.spectacles'', left_out => ''{jeton}'', published => ''publie_le'')';

create or replace function versioning_private.record_vanished_rows(table_id integer, relation regclass, layout versioning.layouts)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format(
        'insert into versioning.records (transaction, at, table_id, layout_id, operation, key, reason, row) '
        'select versioning.transaction(), clock_timestamp(), l.table_id, l.layout_id, ''delete'', l.key, '
        '''gone when tracking began again'', l.row '
        'from (select distinct on (r.key) r.* from versioning.records r where r.table_id = $1 order by r.key, r.id desc) l '
        'where l.operation not in (''delete'', ''truncate'') and not exists (select from %s o where %s = l.key)',
        relation, versioning._key_text(relation, layout, 'o')
    ) using table_id;
end;
$$;

comment on function versioning_private.record_vanished_rows is
    'Ends the histories of rows that were deleted while the table was not tracked, with their last known values.';

create or replace function versioning.untrack(relation regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    number integer;
    found record;
begin
    perform versioning_private.follow_renames();
    number := versioning._find(relation);
    if number is null or versioning._relation(number) is null then
        return false;
    end if;
    for found in
        select t.tgname, t.tgrelid::regclass as relation
        from pg_catalog.pg_trigger t
        where t.tgfoid = to_regproc('versioning._record_' || number)
    loop
        execute format('drop trigger %I on %s', found.tgname, found.relation);
    end loop;
    execute format('drop function versioning._record_%s', number);
    update versioning.tables t set tracked = false where t.id = number;
    return true;
end;
$$;

comment on function versioning.untrack is
    'Ends the history of a table and keeps its versions. Returns false if the table was not tracked.';
