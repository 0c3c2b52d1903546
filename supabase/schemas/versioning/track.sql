-- Which tables have a history, and from when to when.
create or replace function versioning._require_trackable(relation regclass)
returns void
language plpgsql
set search_path = ''
as $$
declare
    table_ pg_catalog.pg_class;
    reason text;
    hint text;
begin
    select c.* into table_ from pg_catalog.pg_class c where c.oid = relation;
    if table_.oid is null then
        raise exception 'there is no table to track'
            using errcode = 'undefined_table', hint = 'Give a table: select versioning.track(''public.spectacles'').';
    end if;
    if table_.relkind not in ('r', 'p') then
        reason := 'it is not a table';
        hint := 'Track the tables behind it.';
    elsif table_.relpersistence = 't' or table_.relnamespace = 'versioning'::regnamespace then
        reason := 'it is temporary, or a part of the histories themselves';
        hint := 'Track the tables of your project.';
    elsif table_.relispartition then
        reason := 'it is a partition';
        hint := format(
            'Track the partitioned table: select versioning.track(%L).',
            (select a.relid from pg_catalog.pg_partition_ancestors(relation) with ordinality a (relid, level) order by a.level desc limit 1)
        );
    elsif exists (
        select from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where relation in (i.inhrelid, i.inhparent) and not c.relispartition
    ) then
        reason := 'it inherits, or is inherited from, and a statement on a parent changes children unseen';
        hint := 'Use partitions, or tables of their own.';
    elsif not exists (select from pg_catalog.pg_index i where i.indrelid = relation and i.indisprimary) then
        reason := 'it has no primary key';
        hint := format('alter table %s add primary key (…);', relation);
    end if;
    if reason is not null then
        raise exception 'table % cannot be tracked: %', relation, reason
            using errcode = 'feature_not_supported', hint = hint;
    end if;
end;
$$;

revoke all on function versioning._require_trackable from public;
comment on function versioning._require_trackable is 'Raises with the reason when a table cannot have a history.';

-- Names of columns to their lasting numbers.
create or replace function versioning._numbers(shape versioning.layouts, names text[])
returns smallint[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    unknown text;
begin
    select n into unknown from unnest(names) n where n <> all (shape.names);
    if unknown is not null then
        raise exception 'there is no column "%" that could be recorded', unknown
            using errcode = 'undefined_column', hint = format('There are: %s.', array_to_string(shape.names, ', '));
    end if;
    return array(select shape.numbers[array_position(shape.names, n)] from unnest(names) n);
end;
$$;

revoke all on function versioning._numbers from public;
comment on function versioning._numbers is 'The lasting numbers of columns.';

-- Begins the history of a table, or changes its options; what is null stays as it was. Answers how many rows were found that the history did not
-- know. Rows are there already: each gets a version, `baseline`. Twice is as good as once.
-- Example: select versioning.track('public.spectacles', left_out => '{jeton}', published => 'publie_le', keep_versions => 100);
create or replace function versioning.track(
    relation regclass,
    left_out text[] default null,
    published text default null,
    keep_versions integer default null,
    keep_for interval default null
)
returns bigint
language plpgsql
set search_path = ''
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
    perform versioning._require_trackable(relation);
    -- Nobody may write between the look at the rows and the first change that is recorded.
    execute format('lock table %s in share row exclusive mode', relation);
    perform versioning._follow_renames();
    number := versioning._find(relation);
    if number is null then
        insert into versioning.tables (schema_name, table_name)
        select c.relnamespace::regnamespace::name, c.relname from pg_catalog.pg_class c where c.oid = relation
        returning tables.id into number;
    end if;
    shape := versioning._shape(number, relation);
    options := versioning._numbers(shape, array_remove(left_out || published, null));
    if shape.numbers[:shape.key_count] && options[:coalesce(cardinality(left_out), 0)] then
        raise exception 'a column of the primary key cannot be left out'
            using errcode = 'invalid_parameter_value', hint = 'Without it versions would belong to nobody.';
    end if;
    if published is not null and shape.types[array_position(shape.names, published)] !~ '^(boolean|date|timestamp)' then
        raise exception 'column "%" cannot tell published from not', published
            using errcode = 'datatype_mismatch', hint = 'Name a column of type boolean, date or timestamp.';
    end if;
    update versioning.tables t
    set tracked = true,
        left_out = case when track.left_out is null then t.left_out else options[:cardinality(track.left_out)] end,
        published = coalesce(case when track.published is not null then options[cardinality(options)] end, t.published),
        keep_versions = coalesce(track.keep_versions, t.keep_versions),
        keep_for = coalesce(track.keep_for, t.keep_for)
    where t.id = number;
    layout := versioning._current_layout(number, relation);
    perform versioning._define(number, relation, layout);
    if versioning._attach(number, relation) then
        execute versioning._statement(number, relation, layout, 'BASELINE');
        get diagnostics found = row_count;
        perform versioning._record_vanished(number, relation, layout);
        perform versioning._schedule_first();
    end if;
    return found;
end;
$$;

revoke all on function versioning.track from public;
comment on function versioning.track is 'Begins the history of a table, or changes its options; answers how many rows it found.';

-- Rows that went while nobody looked: their history ends with what it knew of them.
create or replace function versioning._record_vanished(table_id integer, relation regclass, layout versioning.layouts)
returns void
language plpgsql
set search_path = ''
as $$
begin
    execute format(
        'insert into versioning.records (transaction, at, table_id, layout_id, operation, key, reason, row) '
        'select versioning.transaction(), clock_timestamp(), l.table_id, l.layout_id, ''delete'', l.key, ''gone when tracking began again'', l.row '
        'from (select distinct on (r.key) r.* from versioning.records r where r.table_id = $1 order by r.key, r.id desc) l '
        'where l.operation not in (''delete'', ''truncate'') and not exists (select from %s o where %s = l.key)',
        relation, versioning._key_text(relation, layout, 'o')
    ) using table_id;
end;
$$;

revoke all on function versioning._record_vanished from public;
comment on function versioning._record_vanished is 'Ends the histories of rows that are no longer there.';

-- Ends the history of a table: what was recorded stays. False when it was not tracked.
create or replace function versioning.untrack(relation regclass)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    number integer;
    found record;
begin
    perform versioning._follow_renames();
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

revoke all on function versioning.untrack from public;
comment on function versioning.untrack is 'Ends the history of a table and keeps it; false when there was none under way.';

-- Brings the names of tracked tables up to date; a table that was dropped is tracked no longer.
create or replace function versioning._follow_renames()
returns void
language sql
set search_path = ''
as $$
    update versioning.tables t set tracked = false where t.tracked and versioning._relation(t.id) is null;
    update versioning.tables t
    set schema_name = c.relnamespace::regnamespace::name, table_name = c.relname
    from pg_catalog.pg_class c
    where t.tracked
        and c.oid = versioning._relation(t.id)
        and (t.schema_name, t.table_name) is distinct from (c.relnamespace::regnamespace::name, c.relname);
$$;

revoke all on function versioning._follow_renames from public;
comment on function versioning._follow_renames is 'Brings the names of tracked tables up to date.';

-- After migrations: makes the trigger functions of altered tables anew, puts triggers on new partitions and takes them off detached ones. Until then the
-- statements on an altered table are recorded too, at the cost of planning each anew; only statements that name a new partition itself are not seen.
-- The nightly job does it as well. Answers the tables that had changed.
create or replace function versioning.refresh()
returns setof regclass
language plpgsql
set search_path = ''
as $$
declare
    table_ versioning.tables;
    relation regclass;
    layout versioning.layouts;
    changed boolean;
begin
    perform versioning._follow_renames();
    for table_ in select t.* from versioning.tables t where t.tracked order by t.id loop
        relation := versioning._relation(table_.id);
        layout := versioning._current_layout(table_.id, relation);
        if layout.id is null then
            perform versioning._statement_now(table_.id, 'INSERT', relation);
            continue;
        end if;
        changed := versioning._define(table_.id, relation, layout);
        if exists (
            select from pg_catalog.pg_partition_tree(relation) p
            where not exists (
                select from pg_catalog.pg_trigger t where t.tgrelid = p.relid and t.tgfoid = to_regproc('versioning._record_' || table_.id)
            )
        ) then
            perform versioning._attach(table_.id, relation);
            changed := true;
        end if;
        if versioning._detach(table_.id, relation) then
            changed := true;
        end if;
        if changed then
            return next relation;
        end if;
    end loop;
end;
$$;

revoke all on function versioning.refresh from public;
comment on function versioning.refresh is 'Follows changes of tracked tables: call it at the end of a migration.';
