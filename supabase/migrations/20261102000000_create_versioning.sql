-- The schema `versioning`: the files of schemas/versioning/ in the order of config.toml.

-- The schema `versioning`: every tracked row has a history that a person can read, compare and put back.
-- An entity is a row through time, found by table and primary key; a version is what one change made of it.
-- Everything may be run twice; but a schema of this name that is somebody else's is not ours to fill.
do $$
begin
    if to_regnamespace('versioning') is not null and to_regclass('versioning.records') is null
        and exists (select from pg_class where relnamespace = to_regnamespace('versioning'))
    then
        raise exception 'there is a schema "versioning" already, with other tables in it'
            using errcode = 'duplicate_schema', hint = 'Rename it first: alter schema versioning rename to another_name';
    end if;
end;
$$;

create schema if not exists versioning;

comment on schema versioning is
    'Histories of rows: track a table, then read, compare and restore versions of its rows one by one.';

-- Everybody may ask; the rows that a role gets to see are decided by row level security, beside each table.
grant usage on schema versioning to anon, authenticated, service_role;

-- What a change was. `baseline` is a row found when tracking began; all others are changes that were seen.
do $$
begin
    if to_regtype('versioning.operation') is null then
        create type versioning.operation as enum (
            'baseline', 'create', 'update', 'publish', 'unpublish', 'delete', 'restore', 'truncate'
        );
    end if;
end;
$$;

comment on type versioning.operation is 'What a change was.';

-- The number of the transaction under way: the second in which it began (since 2020), then 22 bits of its transaction id. Ids alone count anew in
-- another cluster, where a restored history would then mix with what happens there. Fits a number of JavaScript (53 bits) until 2088.
create or replace function versioning.transaction()
returns bigint
language sql
stable
set search_path = ''
as $$
    select (date_part('epoch', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303);
$$;

revoke all on function versioning.transaction from public;
grant execute on function versioning.transaction to anon, authenticated, service_role;
comment on function versioning.transaction is 'The number under which this transaction''s versions are recorded; versioning.undo() takes it.';

-- Why the changes of this transaction are made, for their versions. Over the API the header `x-reason` says the same.
-- Example: select versioning.because('typing error on the poster');
create or replace function versioning.because(reason text)
returns void
language sql
set search_path = ''
as $$
    select set_config('versioning.reason', coalesce(reason, ''), true);
$$;

revoke all on function versioning.because from public;
grant execute on function versioning.because to anon, authenticated, service_role;
comment on function versioning.because is 'Gives the versions of this transaction a reason.';

-- One row: who, beside a table's own policies, may read histories.
create table if not exists versioning.settings (
    id boolean primary key default true,
    editor_role text not null default 'editor',

    constraint one_row check (id),
    constraint editor_role_given check (editor_role <> '')
);

insert into versioning.settings default values on conflict (id) do nothing;

alter table versioning.settings enable row level security;
drop policy if exists "readable by all" on versioning.settings;
create policy "readable by all" on versioning.settings for select using (true);
revoke all on versioning.settings from anon, authenticated, service_role;
grant select on versioning.settings to anon, authenticated, service_role;

comment on table versioning.settings is 'Settings of the histories; one row, changed by versioning.configure().';
comment on column versioning.settings.id is 'Always true: there is one row.';
comment on column versioning.settings.editor_role is 'Who has it, as database role or as app_metadata.role in the token, reads all histories.';

-- Example: select versioning.configure(editor_role => 'redaction');
create or replace function versioning.configure(editor_role text default null)
returns versioning.settings
language sql
-- service_role may change settings here, and not write the table.
security definer
set search_path = ''
as $$
    update versioning.settings s
    set editor_role = coalesce(configure.editor_role, s.editor_role)
    returning s.*;
$$;

revoke all on function versioning.configure from public;
grant execute on function versioning.configure to service_role;
comment on function versioning.configure is 'Changes the settings named in the call; answers all of them.';

-- Is the caller an editor: a member of the database role of that name, or one whose token says so? Only the service can write app_metadata.
create or replace function versioning._is_editor()
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from versioning.settings s
        where nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'role' = s.editor_role
            or exists (
                select from pg_catalog.pg_roles r where r.rolname = s.editor_role and pg_has_role(r.oid, 'member')
            )
    );
$$;

revoke all on function versioning._is_editor from public;
grant execute on function versioning._is_editor to anon, authenticated, service_role;
comment on function versioning._is_editor is 'May the caller read every history?';

-- The tables that are or were tracked. By name, never by OID: names survive a restore elsewhere. Where a tracked table is now, under
-- whatever name, its triggers tell; the name here is brought up to date by track(), untrack() and refresh().
create table if not exists versioning.tables (
    id integer generated by default as identity primary key,
    schema_name text not null,
    table_name text not null,
    tracked boolean not null default true,
    left_out smallint[] not null default '{}',
    published smallint,
    keep_versions integer,
    keep_for interval,

    constraint keep_versions_range check (keep_versions > 0),
    constraint keep_for_range check (keep_for > interval '0')
);

-- Not unique: a table that was dropped keeps its name here, and another of that name may be tracked.
create index if not exists tables_by_name on versioning.tables (schema_name, table_name);

comment on table versioning.tables is 'The tables that are or were tracked, with their options.';
comment on column versioning.tables.id is 'Number of the table; its trigger function is versioning._record_<id>().';
comment on column versioning.tables.schema_name is 'Its schema.';
comment on column versioning.tables.table_name is 'Its name.';
comment on column versioning.tables.tracked is 'False after untrack(): the history is kept, and goes on when it is tracked again.';
comment on column versioning.tables.left_out is 'Numbers of columns that are not recorded: secrets, counters. Numbers, so that a rename changes nothing.';
comment on column versioning.tables.published is 'Number of the column, boolean or time, that tells published from not.';
comment on column versioning.tables.keep_versions is 'How many versions of an entity prune() keeps; null: all.';
comment on column versioning.tables.keep_for is 'How far back prune() keeps the state of every entity; null: for ever.';

-- The columns of a table at a time. A version's values mean nothing without the layout that they were recorded under. A column keeps its
-- number over renames, other positions and a restore elsewhere. Every array has one element a column: key first, then the other recorded
-- columns, then those left out. Generated columns are none of them: they follow from the others.
-- Nothing is unique but the id, on purpose: after a change of a table two writers may each add its new layout, neither waiting for the
-- other; both say the same.
create table if not exists versioning.layouts (
    id integer generated by default as identity primary key,
    table_id integer not null references versioning.tables (id),
    key_count smallint not null,
    recorded_count smallint not null,
    numbers smallint[] not null,
    names text[] not null,
    types text[] not null,
    positions smallint[] not null,
    created_at timestamptz not null default clock_timestamp()
);

create index if not exists layouts_of_table on versioning.layouts (table_id, id);

comment on table versioning.layouts is 'The columns of tracked tables, as they were at the time of their versions.';
comment on column versioning.layouts.id is 'Number of the layout.';
comment on column versioning.layouts.table_id is 'The table.';
comment on column versioning.layouts.key_count is 'How many columns the primary key has; they come first.';
comment on column versioning.layouts.recorded_count is 'How many columns are recorded, the key included; those left out come last.';
comment on column versioning.layouts.numbers is 'The columns'' lasting numbers.';
comment on column versioning.layouts.names is 'Their names then.';
comment on column versioning.layouts.types is 'Their types then.';
comment on column versioning.layouts.positions is 'Their attnum then, by which a rename is recognized.';
comment on column versioning.layouts.created_at is 'When it was first met.';

-- Versions as they are stored; the view versioning.history shows them as people read them. Values are kept as PostgreSQL's own text of
-- them, which gives back exactly what was there, and column names once, in the layout. Small: history is mostly this table.
-- No foreign keys: each would cost every writer of a tracked table a look-up, and nobody but the triggers writes here.
-- An entity's versions are ordered by id. Writers of one row wait for each other, so ids are drawn in the order of the changes.
create table if not exists versioning.records (
    id bigint generated by default as identity primary key,
    transaction bigint not null,
    at timestamptz not null default clock_timestamp(),
    table_id integer not null,
    layout_id integer not null,
    operation versioning.operation not null,
    number integer,
    -- Compared byte by byte: the order does not matter, and it is several times as fast as a language's.
    key text collate "C" not null,
    actor text,
    role text,
    reason text,
    row text not null,
    before text[]
);

create index if not exists records_of_entity on versioning.records (table_id, key);

-- Records come in by time, so a few bytes per range of pages find a transaction or a day among millions.
create index if not exists records_by_time on versioning.records using brin (transaction, at) with (pages_per_range = 32);

comment on table versioning.records is 'Versions as stored. Read versioning.history instead.';
comment on column versioning.records.id is 'Number of the version among all versions.';
comment on column versioning.records.transaction is 'The transaction that made it, as versioning.transaction() numbers it.';
comment on column versioning.records.at is 'When the row was changed; later for each version of an entity.';
comment on column versioning.records.table_id is 'The table.';
comment on column versioning.records.layout_id is 'The columns that row and before are made of.';
comment on column versioning.records.operation is 'What the change was.';
comment on column versioning.records.number is 'Its number among the entity''s versions, where prune() removed earlier ones; null: count.';
comment on column versioning.records.key is 'The primary key: the text of the value, or of the row of values where there are several.';
comment on column versioning.records.actor is 'Who: `sub` of the token, as auth.uid() reads it.';
comment on column versioning.records.role is 'As which role.';
comment on column versioning.records.reason is 'Why, when somebody said so.';
comment on column versioning.records.row is 'The recorded columns without the key as text of a row: after the change; before it, for delete and truncate.';
comment on column versioning.records.before is 'Of an update: `=` and the old value of each changed column, `-` where it was null, null for the others; or one element, the text of the row as `row` has it. Null for what is new.';

-- How many versions of its entity there were up to this one. Counted when asked for: so there are no gaps, whoever writes at the same
-- time, and no writer has to look up what the last number was.
create or replace function versioning._number_of(version bigint)
returns integer
language sql
stable
-- A version's number must not depend on who asks, and row level security would be asked once for every version counted. It takes no key, so
-- that it does not tell whether there is one: who guesses a version's id learns a count.
security definer
set search_path = ''
as $$
    select count(*)::integer + coalesce(min(r.number), 1) - 1
    from versioning.records v
    join versioning.records r on r.table_id = v.table_id and r.key = v.key and r.id <= v.id
    where v.id = version;
$$;

revoke all on function versioning._number_of from public;
grant execute on function versioning._number_of to anon, authenticated, service_role;
comment on function versioning._number_of is 'The number of a version among those of its entity.';

-- From the stored text to values and back. record_out() writes a row as `(a,"b ""c""",,"")`: a field is quoted when it is empty or has a
-- character that could be misread, quotes and backslashes in it are doubled, and null is nothing at all.
create or replace function versioning._values(literal text)
returns text[]
language plpgsql
immutable
strict
set search_path = ''
as $$
declare
    -- Cut at the quotes: every second piece lies inside of them.
    pieces text[] := string_to_array(substr(literal, 2, length(literal) - 2), '"');
    outside text[];
    field text;
    found text[] := '{}';
begin
    if literal = '()' then
        return array[null::text];
    end if;
    for i in 1..cardinality(pieces) loop
        if i % 2 = 0 then
            field := coalesce(field, '') || pieces[i];
        elsif pieces[i] = '' and i > 1 and i < cardinality(pieces) then
            -- Nothing between two quotes: a doubled one.
            field := field || '"';
        elsif pieces[i] <> '' then
            outside := string_to_array(pieces[i], ',', '');
            if i > 1 then
                outside[1] := replace(field, '\\', '\');
                field := null;
            end if;
            -- What follows the last comma is the beginning of the next quoted field.
            found := found || outside[:cardinality(outside) - (i < cardinality(pieces))::integer];
        end if;
    end loop;
    return case when field is null then found else found || replace(field, '\\', '\') end;
end;
$$;

revoke all on function versioning._values from public;
grant execute on function versioning._values to anon, authenticated, service_role;
comment on function versioning._values is 'The fields of a row''s text.';

-- The other way round: text that a cast to the row's type takes.
create or replace function versioning._literal(fields text[])
returns text
language sql
immutable
strict
set search_path = ''
as $$
    select '(' || string_agg(
        case when f.value is null then '' else '"' || replace(replace(f.value, '\', '\\'), '"', '""') || '"' end,
        ',' order by f.position
    ) || ')'
    from unnest(fields) with ordinality f (value, position);
$$;

revoke all on function versioning._literal from public;
grant execute on function versioning._literal to anon, authenticated, service_role;
comment on function versioning._literal is 'A row''s text of its fields.';

-- A value as JSON has it: numbers, truth values and JSON itself as such, everything else as PostgreSQL writes it. NaN and infinity are no
-- numbers to JSON.
create or replace function versioning._json(value text, type text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case
        when value is null then 'null'::jsonb
        when type in ('json', 'jsonb') then value::jsonb
        when type = 'boolean' then to_jsonb(value::boolean)
        when type ~ '^(smallint|integer|bigint|numeric|real|double precision)($|\()' and value ~ '[0-9]' then to_jsonb(value::numeric)
        else to_jsonb(value)
    end;
$$;

revoke all on function versioning._json from public;
grant execute on function versioning._json to anon, authenticated, service_role;
comment on function versioning._json is 'A value''s text as JSON.';

-- What a record stores: the key's values, then the other recorded ones.
create or replace function versioning._recorded(record versioning.records, layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select case when layout.key_count = 1 then array[record.key] else versioning._values(record.key) end
        || (versioning._values(record.row))[:layout.recorded_count - layout.key_count];
$$;

revoke all on function versioning._recorded from public;
grant execute on function versioning._recorded to anon, authenticated, service_role;
comment on function versioning._recorded is 'A record''s values in the order of its layout.';

-- A record's values after and before its change, one element a recorded column of its layout; null when the entity was not there.
create or replace function versioning._after(record versioning.records, layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select case when record.operation not in ('delete', 'truncate') then versioning._recorded(record, layout) end;
$$;

revoke all on function versioning._after from public;
grant execute on function versioning._after to anon, authenticated, service_role;
comment on function versioning._after is 'The values that a change left; null when it left no row.';

create or replace function versioning._before(record versioning.records, layout versioning.layouts)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    fields text[] := versioning._recorded(record, layout);
begin
    if record.operation in ('delete', 'truncate') then
        return fields;
    end if;
    -- An update that changed the key is recorded as one row that went and one that came.
    if record.before is null or record.operation in ('create', 'baseline') then
        return null;
    end if;
    -- A short row that was updated alone is there as a whole.
    if starts_with(record.before[1], '(') then
        return fields[:layout.key_count] || versioning._values(record.before[1]);
    end if;
    for i in 1..layout.recorded_count - layout.key_count loop
        if record.before[i] is not null then
            fields[layout.key_count + i] := case when starts_with(record.before[i], '=') then substr(record.before[i], 2) end;
        end if;
    end loop;
    return fields;
end;
$$;

revoke all on function versioning._before from public;
grant execute on function versioning._before to anon, authenticated, service_role;
comment on function versioning._before is 'The values that a change found; null when it found no row.';

create or replace function versioning._object(fields text[], layout versioning.layouts)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_object_agg(c.name, versioning._json(c.value, c.type))
    from unnest(fields, layout.names[:layout.recorded_count], layout.types[:layout.recorded_count]) c (value, name, type)
    where fields is not null;
$$;

revoke all on function versioning._object from public;
grant execute on function versioning._object to anon, authenticated, service_role;
comment on function versioning._object is 'Values with the names of their columns; null for none.';

-- The columns in which two states differ; no state at all counts as nulls.
create or replace function versioning._changed(before text[], after text[], layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select coalesce(array_agg(c.name order by c.position) filter (where c.before is distinct from c.after), '{}')
    from unnest(before, after, layout.names[:layout.recorded_count]) with ordinality c (before, after, name, position);
$$;

revoke all on function versioning._changed from public;
grant execute on function versioning._changed to anon, authenticated, service_role;
comment on function versioning._changed is 'Names of the columns in which two states differ.';

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

-- Who reads histories: whoever the table's own policies let read the row now; of a row that is gone, editors only.

-- A table by its names; null when there is none. to_regclass() would raise for who may not use the schema.
create or replace function versioning._named(schema_name text, table_name text)
returns regclass
language sql
stable
set search_path = ''
as $$
    select c.oid::regclass
    from pg_catalog.pg_namespace n
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = table_name
    where n.nspname = schema_name;
$$;

revoke all on function versioning._named from public;
grant execute on function versioning._named to anon, authenticated, service_role;
comment on function versioning._named is 'A table by its names; null when there is none.';

-- A table that was tracked, under the name that it had: where it is now, or null.
create or replace function versioning._place(table_id integer)
returns regclass
language sql
stable
set search_path = ''
as $$
    select coalesce(
        versioning._relation(table_id),
        (select versioning._named(t.schema_name, t.table_name) from versioning.tables t where t.id = table_id)
    );
$$;

revoke all on function versioning._place from public;
grant execute on function versioning._place to anon, authenticated, service_role;
comment on function versioning._place is 'Where a table is that is or was tracked; null when it is gone.';

create or replace function versioning._may_select(relation regclass)
returns boolean
language sql
stable
set search_path = ''
as $$
    select coalesce(
        (
            select has_schema_privilege(c.relnamespace, 'usage') and has_table_privilege(c.oid, 'select')
            from pg_catalog.pg_class c
            where c.oid = relation
        ),
        false
    );
$$;

revoke all on function versioning._may_select from public;
grant execute on function versioning._may_select to anon, authenticated, service_role;
comment on function versioning._may_select is 'May the caller read all columns of a table, as far as grants go?';

-- SQL that finds the row of `alias` by its key, whose values are the array $1; null without a primary key.
create or replace function versioning._by_key(relation regclass, alias text)
returns text
language sql
stable
set search_path = ''
as $$
    select string_agg(
        format(
            '%I.%I operator(%I.%s) ($1)[%s]::%s',
            alias, a.attname, p.oprnamespace::regnamespace::name, p.oprname, k.place, pg_catalog.format_type(a.atttypid, -1)
        ),
        ' and ' order by k.place
    )
    from pg_catalog.pg_index i
    cross join unnest(i.indkey::smallint[], i.indclass::oid[]) with ordinality k (position, class, place)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.position
    join pg_catalog.pg_opclass c on c.oid = k.class
    join pg_catalog.pg_amop m
        on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
    join pg_catalog.pg_operator p on p.oid = m.amopopr
    where i.indrelid = relation and i.indisprimary;
$$;

revoke all on function versioning._by_key from public;
grant execute on function versioning._by_key to anon, authenticated, service_role;
comment on function versioning._by_key is 'SQL that finds a row by the values of its key.';

-- The values of a key's text.
create or replace function versioning._key_values(key text, key_count integer)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select case when key_count = 1 then array[key] else versioning._values(key) end;
$$;

revoke all on function versioning._key_values from public;
grant execute on function versioning._key_values to anon, authenticated, service_role;
comment on function versioning._key_values is 'The values of a key.';

-- Runs with the rights of who asks, so the table's own policies decide. A key that the present type of the column does not take has no row.
create or replace function versioning._readable(table_id integer, key text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    relation regclass := versioning._place(table_id);
    condition text := versioning._by_key(relation, 't');
    found boolean;
begin
    if condition is null or not versioning._may_select(relation) then
        return false;
    end if;
    execute format('select exists (select from %s t where %s)', relation, condition)
    into found
    using versioning._key_values(
        key,
        (select i.indnkeyatts from pg_catalog.pg_index i where i.indrelid = relation and i.indisprimary)
    );
    return found;
exception
    when data_exception then
        return false;
end;
$$;

revoke all on function versioning._readable from public;
grant execute on function versioning._readable to anon, authenticated, service_role;
comment on function versioning._readable is 'May the caller read the row that has this key now?';

-- Names of columns are for who may read the table; the values are not here.
alter table versioning.tables enable row level security;
drop policy if exists "of readable tables" on versioning.tables;
create policy "of readable tables" on versioning.tables for select
using (
    (select versioning._is_editor())
    or versioning._may_select(coalesce(versioning._relation(id), versioning._named(schema_name, table_name)))
);
revoke all on versioning.tables from anon, authenticated, service_role;
grant select on versioning.tables to anon, authenticated, service_role;

alter table versioning.layouts enable row level security;
drop policy if exists "of readable tables" on versioning.layouts;
create policy "of readable tables" on versioning.layouts for select
using (exists (select from versioning.tables t where t.id = table_id));
revoke all on versioning.layouts from anon, authenticated, service_role;
grant select on versioning.layouts to anon, authenticated, service_role;

-- Nobody is granted more than select: only the trigger functions write, as the owner of the schema.
alter table versioning.records enable row level security;
drop policy if exists "of readable rows" on versioning.records;
create policy "of readable rows" on versioning.records for select
using ((select versioning._is_editor()) or versioning._readable(table_id, key));
revoke all on versioning.records from anon, authenticated, service_role;
grant select on versioning.records to anon, authenticated, service_role;

-- The statements by which a trigger records what a statement did, one for the whole of it. They name the table's columns, so they are
-- made from a layout: once for the trigger function, and anew by it while the table has changed since.

-- How the key of `alias` is written: the text of its one value, or of the row of its values. Equal numerics must have one text.
create or replace function versioning._key_text(relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = ''
as $$
    select case when layout.key_count = 1 then min(k.value) || '::text' else 'row(' || string_agg(k.value, ', ' order by k.place) || ')::text' end
    from (
        select
            c.place,
            format(case when a.atttypid = 'numeric'::regtype then 'pg_catalog.trim_scale(%I.%I)' else '%I.%I' end, alias, c.name) as value
        from unnest(layout.names[:layout.key_count]) with ordinality c (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = c.name
    ) k;
$$;

revoke all on function versioning._key_text from public;
grant execute on function versioning._key_text to anon, authenticated, service_role;
comment on function versioning._key_text is 'SQL for the key''s text.';

-- `o` and `n` have the same key, by the operators of the primary key itself.
create or replace function versioning._same_key(relation regclass)
returns text
language sql
stable
set search_path = ''
as $$
    select string_agg(format('o.%1$I operator(%2$I.%3$s) n.%1$I', a.attname, p.oprnamespace::regnamespace::name, p.oprname), ' and ')
    from pg_catalog.pg_index i
    cross join unnest(i.indkey::smallint[], i.indclass::oid[]) k (position, class)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.position
    join pg_catalog.pg_opclass c on c.oid = k.class
    join pg_catalog.pg_amop m
        on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
    join pg_catalog.pg_operator p on p.oid = m.amopopr
    where i.indrelid = relation and i.indisprimary;
$$;

revoke all on function versioning._same_key from public;
comment on function versioning._same_key is 'SQL for the equality of two rows'' keys.';

-- The recorded columns of `alias` without the key.
create or replace function versioning._row_of(layout versioning.layouts, alias text)
returns text
language sql
immutable
set search_path = ''
as $$
    select 'row(' || coalesce(string_agg(format('%I.%I', alias, c.name), ', ' order by c.place), '') || ')'
    from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality c (name, place);
$$;

revoke all on function versioning._row_of from public;
comment on function versioning._row_of is 'SQL for the recorded columns of a row.';

-- The old values of changed columns as records store them. For the types named here `=` tells every two values apart that are written
-- differently; values of other types (1.0 = 1.00) are compared as they are written.
create or replace function versioning._old_values(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    select 'array[' || coalesce(
        string_agg(
            format(
                'coalesce(''='' || nullif(%s, %s)%s, case when o.%4$s is not distinct from null and n.%4$s is distinct from null then ''-'' end)',
                case when c.exact then 'o.' || c.name else c.old end,
                case when c.exact then 'n.' || c.name else replace(c.old, 'o.' || c.name, 'n.' || c.name) end,
                case when c.exact then '::text' end,
                c.name
            ),
            ', ' order by c.place
        ),
        ''
    -- One collation for all: the columns may have several.
    ) || ']::text[] collate pg_catalog."C"'
    from (
        select
            n.place,
            quote_ident(n.name) as name,
            t.typtype = 'e'
            or a.atttypid = any (array[
                'smallint', 'integer', 'bigint', 'oid', 'boolean', 'uuid', 'bytea', 'date', 'time', 'timestamp', 'timestamptz', '"char"', 'name'
            ]::regtype[])
            or a.atttypid in ('text'::regtype, 'varchar'::regtype)
            and exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and l.collisdeterministic) as exact,
            -- A cast to text that somebody made need not tell all of a value; the type's output function does.
            case
                when t.typnamespace <> 'pg_catalog'::regnamespace and exists (
                    select from pg_catalog.pg_cast k
                    where k.castsource = t.oid and k.casttarget = 'text'::regtype and k.castmethod = 'f'
                ) then format('pg_catalog.textin(%s(o.%I))', t.typoutput, n.name)
                -- The cast keeps the column's collation, which may take different texts for equal.
                when exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and not l.collisdeterministic)
                    then format('(o.%I::text collate pg_catalog."C")', n.name)
                else format('o.%I::text', n.name)
            end as old
        from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality n (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
    ) c;
$$;

revoke all on function versioning._old_values from public;
comment on function versioning._old_values is 'SQL for the column `before` of an update.';

-- Was it published? SQL for `alias`; null without such a column.
create or replace function versioning._is_published(table_id integer, relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = ''
as $$
    select format(
        case when a.atttypid = 'boolean'::regtype then 'coalesce(%I.%I, false)' else '(%I.%I is not null)' end, alias, a.attname
    )
    from versioning.tables t
    join pg_catalog.pg_attribute a
        on a.attrelid = relation and a.attname = layout.names[array_position(layout.numbers, t.published)]
    where t.id = table_id;
$$;

revoke all on function versioning._is_published from public;
comment on function versioning._is_published is 'SQL for whether a row is published.';

-- The insert of the versions that an INSERT, UPDATE, DELETE or TRUNCATE makes, or the beginning of tracking (BASELINE). The keys of old and new
-- rows of an update are matched by a full join, for two reasons: a changed key ends one entity and begins another; and a full join is never planned
-- as a nested loop, which a plan made for one row would otherwise use for a hundred thousand. `UPDATE ONE` is for one row that keeps its key and is short,
-- as most updates have it; of any other it records nothing. It stores all of the old row, which is more than its changed columns, and a tenth less work to
-- find. An update that changed nothing is left out.
create or replace function versioning._statement(table_id integer, relation regclass, layout versioning.layouts, event text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    -- One row of the transition tables tells what was there; for an update both may.
    alias text := case when event in ('INSERT', 'UPDATE ONE') then 'n' else 'o' end;
    first_key text := format('%I', layout.names[1]);
    key text := versioning._key_text(relation, layout, alias);
    row_text text := versioning._row_of(layout, alias) || '::text';
    -- Typed, so that no text is read as an operation for every row.
    constant text := format(
        '%L::versioning.operation', case event when 'INSERT' then 'create' when 'UPDATE ONE' then 'update' else lower(event) end
    );
    operation text;
    restored text;
    before text;
    was_published text := versioning._is_published(table_id, relation, layout, 'o');
    is_published text := versioning._is_published(table_id, relation, layout, 'n');
    changed_to text := case when is_published is not null then format(
        'when %1$s and not %2$s then ''publish'' when %2$s and not %1$s then ''unpublish''', is_published, was_published
    ) end;
begin
    if event = 'UPDATE' then
        key := format('case when n.%s is null then %s else %s end', first_key, key, versioning._key_text(relation, layout, 'n'));
        row_text := format('case when n.%s is null then %s else %s::text end', first_key, row_text, versioning._row_of(layout, 'n'));
    end if;
    before := case event
        when 'UPDATE' then versioning._old_values(relation, layout)
        when 'UPDATE ONE' then versioning._row_of(layout, 'o') || '::text'
        else 'null::text[]'
    end;
    restored := format('when current_setting(''versioning.restoring'', true) = %L || %s then ''restore''', table_id || ':', key);
    operation := case event
        when 'INSERT' then format('case %s else %s end', restored, constant)
        when 'UPDATE' then format(
            'case when o.%1$s is null then ''create'' when n.%1$s is null then ''delete'' %2$s %3$s else %4$s end',
            first_key,
            restored,
            changed_to,
            constant
        )
        when 'UPDATE ONE' then format('case %s %s else %s end', restored, changed_to, constant)
        else constant
    end;
    return format(
        'insert into versioning.records (transaction, table_id, layout_id, operation, key, actor, role, reason, row, before) '
        'select (date_part(''epoch'', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303), %s, %s, s.operation, s.key, '
        -- As auth.uid() has it, but any text: not every issuer of tokens writes uuids.
        'coalesce(nullif(current_setting(''request.jwt.claim.sub'', true), ''''), '
        'nullif(current_setting(''request.jwt.claims'', true), '''')::json ->> ''sub''), '
        'coalesce(nullif(current_setting(''role''), ''none''), session_user), '
        'coalesce(nullif(current_setting(''versioning.reason'', true), ''''), '
        'nullif(current_setting(''request.headers'', true), '''')::json ->> ''x-reason''), s.row, %s '
        'from (select %s as operation, %s as key, %s as row, %s as before from %s) s%s',
        table_id,
        layout.id,
        case event when 'UPDATE ONE' then 'array[s.before]' else 's.before' end,
        operation,
        key,
        row_text,
        before,
        case event
            when 'INSERT' then 'new_rows n'
            when 'DELETE' then 'old_rows o'
            -- Without offset the old values would be computed twice.
            when 'UPDATE' then format('old_rows o full join new_rows n on %s offset 0', versioning._same_key(relation))
            -- `is true` leaves the planner a nested loop only, which begins soonest.
            when 'UPDATE ONE' then format(
                'old_rows o, new_rows n where not exists (select from new_rows offset 1) and (%s) is true offset 0', versioning._same_key(relation)
            )
            -- A partitioned table's triggers fire first, its partitions' then: each records its own rows.
            when 'TRUNCATE' then format('only %s o', relation)
            -- What a history that stopped for a while does not know, or knows differently.
            when 'BASELINE' then format(
                '%s o left join lateral ('
                'select r.operation, r.layout_id, r.row from versioning.records r where r.table_id = %s and r.key = %s order by r.id desc limit 1'
                ') l on true where l.row is null or l.operation in (''delete'', ''truncate'') or l.layout_id <> %s or l.row <> %s',
                relation, table_id, key, layout.id, row_text
            )
        end,
        case event
            when 'UPDATE' then format(
                ' where s.before <> %L::text[] or s.operation in (''create'', ''delete'')',
                array_fill(null::text, array[layout.recorded_count - layout.key_count])
            )
            -- Longer ones the server compresses, or stores apart.
            when 'UPDATE ONE' then ' where s.before <> s.row and octet_length(s.before) < 2000'
        end
    );
end;
$$;

revoke all on function versioning._statement from public;
comment on function versioning._statement is 'SQL that records what a statement did to a tracked table.';

-- Does this session write values otherwise than the history? SQL, null where the types of the table leave no choice. Types that contain others, and those
-- of extensions, are asked about all settings.
create or replace function versioning._writes_otherwise(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    with types as (
        select
            case
                when b.typnamespace <> 'pg_catalog'::regnamespace and b.typtype <> 'e' or b.typtype in ('c', 'r', 'm') then 'any'
                when b.typcategory = 'D' then 'time'
                when b.typcategory = 'T' then 'interval'
                when b.typcategory = 'G' or b.oid in ('real'::regtype, 'double precision'::regtype) then 'float'
                when b.oid = 'bytea'::regtype then 'bytea'
            end as kind
        from unnest(layout.names[:layout.recorded_count]) n (name)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        -- A domain is stored as its base; of an array the elements count.
        left join pg_catalog.pg_type d on d.oid = t.typbasetype
        join pg_catalog.pg_type e on e.oid = coalesce(d.oid, t.oid)
        join pg_catalog.pg_type b on b.oid = case when e.typcategory = 'A' and e.typelem <> 0 then e.typelem else e.oid end
    )
    select string_agg(s.condition, ' or ' order by s.place)
    from (
        values
            (1, 'current_setting(''TimeZone'') <> ''UTC''', 'time'),
            (2, 'not starts_with(current_setting(''DateStyle''), ''ISO'')', 'time'),
            (3, 'current_setting(''IntervalStyle'') <> ''postgres''', 'interval'),
            (4, 'current_setting(''extra_float_digits'')::integer < 1', 'float'),
            (5, 'current_setting(''bytea_output'') <> ''hex''', 'bytea')
    ) s (place, condition, kind)
    where exists (select from types t where t.kind in (s.kind, 'any'));
$$;

revoke all on function versioning._writes_otherwise from public;
comment on function versioning._writes_otherwise is 'SQL for whether the session writes values otherwise than the history.';

create or replace function versioning._write_as(settings text[])
returns void
language sql
set search_path = ''
as $$
    select
        set_config('TimeZone', settings[1], true), set_config('DateStyle', settings[2], true), set_config('IntervalStyle', settings[3], true),
        set_config('extra_float_digits', settings[4], true), set_config('bytea_output', settings[5], true);
$$;

revoke all on function versioning._write_as from public;
comment on function versioning._write_as is 'Makes the transaction write values by these settings.';

-- With these settings a value's text is exact, and the same in every session. Answers those that were, for _write_as(). Clauses `set` of the trigger
-- function would do as well, and cost every statement some 10 µs, although nearly all sessions have these settings anyway.
create or replace function versioning._write_exactly()
returns text[]
language plpgsql
set search_path = ''
as $$
declare
    own text[] := array[
        current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('extra_float_digits'),
        current_setting('bytea_output')
    ];
begin
    perform versioning._write_as('{UTC,ISO,postgres,1,hex}');
    return own;
end;
$$;

revoke all on function versioning._write_exactly from public;
comment on function versioning._write_exactly is 'Makes the transaction write values exactly; answers the settings that were.';

-- A statement's versions are recorded when it ends. When a trigger changes the row again meanwhile, that inner statement ends first, and its
-- version would stand before the one that it followed on. Inner statements leave a mark (`versioning.nested`); an outer one that finds it
-- has the entities put in order that it recorded, those with ids above `first`.
create or replace function versioning._reorder(table_id integer, first bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
    entity text;
begin
    for entity in
        select distinct r.key
        from versioning.records r
        where r.id > first and r.transaction = versioning.transaction() and r.table_id = _reorder.table_id
    loop
        perform versioning._reorder_entity(table_id, entity);
    end loop;
end;
$$;

revoke all on function versioning._reorder from public;
comment on function versioning._reorder is 'Puts versions in order that a statement recorded after those of statements inside it.';

-- Each version follows on the one that left what it found. Where none fits, the order of ids stands.
create or replace function versioning._reorder_entity(table_id integer, key text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    ids bigint[];
    befores text[];
    afters text[];
    state text;
    next integer;
    moving boolean := false;
begin
    -- An empty text stands for no row: values are in brackets.
    select
        array_agg(r.id order by r.id),
        array_agg(coalesce(versioning._before(r, l)::text, '') order by r.id),
        array_agg(coalesce(versioning._after(r, l)::text, '') order by r.id)
    into ids, befores, afters
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = _reorder_entity.table_id and r.key = _reorder_entity.key and r.transaction = versioning.transaction();
    select versioning._after(r, l)::text into state
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = _reorder_entity.table_id and r.key = _reorder_entity.key and r.id < ids[1]
    order by r.id desc
    limit 1;
    state := coalesce(state, '');
    while cardinality(ids) > 0 loop
        next := coalesce(array_position(befores, state), 1);
        state := afters[next];
        -- From the first that moves on, all get new ids: in the order that they are met in.
        moving := moving or next > 1;
        if moving then
            update versioning.records r set id = nextval('versioning.records_id_seq') where r.id = ids[next];
        end if;
        ids := ids[:next - 1] || ids[next + 1:];
        befores := befores[:next - 1] || befores[next + 1:];
        afters := afters[:next - 1] || afters[next + 1:];
    end loop;
end;
$$;

revoke all on function versioning._reorder_entity from public;
comment on function versioning._reorder_entity is 'Puts this transaction''s versions of one entity in order.';

-- The trigger function of a table, and its triggers.

-- The SQL of what a statement did, for a table that has changed since its trigger function was made, and for TRUNCATE.
create or replace function versioning._statement_now(table_id integer, event text, relation regclass)
returns text
language plpgsql
set search_path = ''
as $$
declare
    layout versioning.layouts := versioning._current_layout(table_id, versioning._relation(table_id));
begin
    if layout.id is null then
        raise warning 'changes of table % are not recorded: it has no primary key', relation
            using hint = format('Give it one, or end its history: select versioning.untrack(%L)', relation);
        return 'select';
    end if;
    return versioning._statement(table_id, relation, layout, event);
end;
$$;

revoke all on function versioning._statement_now from public;
comment on function versioning._statement_now is 'SQL that records what a statement did, by the table''s present columns.';

-- The body of a table's trigger function. Everything that a statement pays for stands here: a look at the session's settings, and an insert.
create or replace function versioning._body(table_id integer, relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = ''
as $$
    select format(
        $body$
declare
    -- Is this a statement inside another, or one that others were inside of?
    nested boolean;
    first bigint;
    -- The session's settings, while others are in force.
    own text[];
    -- Mostly nothing of all that, and one question costs less than three.
    special boolean := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on' or %3$s;
begin
    if special then
        nested := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on';
        if nested then
            first := nextval('versioning.records_id_seq');
        end if;
        own := versioning._write_exactly();
    end if;
    -- Both are answered when this expression is planned, and again after the table was altered.
    if not versioning._current_when_planned(%1$s, %2$s)
        or coalesce(tg_relid, versioning._relation_when_planned(%1$s)) is null
    then
        own := coalesce(own, versioning._write_exactly());
        special := true;
        execute versioning._statement_now(%1$s, tg_op, tg_relid);
    elsif tg_op = 'UPDATE' then
        %5$s;
        if not found then
            %6$s;
        end if;
    elsif tg_op = 'INSERT' then
        %4$s;
    elsif tg_op = 'DELETE' then
        %7$s;
    else
        execute versioning._statement_now(%1$s, tg_op, tg_relid);
    end if;
    if special then
        perform versioning._write_as(own);
        if nested then
            perform versioning._reorder(%1$s, first);
            perform set_config('versioning.nested', 'on', true);
        end if;
    end if;
    return null;
end;
$body$,
        table_id,
        layout.id,
        coalesce(versioning._writes_otherwise(relation, layout), 'false'),
        versioning._statement(table_id, relation, layout, 'INSERT'),
        versioning._statement(table_id, relation, layout, 'UPDATE ONE'),
        versioning._statement(table_id, relation, layout, 'UPDATE'),
        versioning._statement(table_id, relation, layout, 'DELETE')
    );
$$;

revoke all on function versioning._body from public;
comment on function versioning._body is 'The body of a table''s trigger function.';

-- Makes the trigger function of a table, or makes it anew when its body would be another: true then.
create or replace function versioning._define(table_id integer, relation regclass, layout versioning.layouts)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    name text := '_record_' || table_id;
    body text := versioning._body(table_id, relation, layout);
begin
    if exists (select from pg_catalog.pg_proc p where p.oid = to_regproc('versioning.' || name) and p.prosrc = body) then
        return false;
    end if;
    execute format(
        'create or replace function versioning.%I() returns trigger language plpgsql '
        -- Who writes a table must not write its history.
        'security definer '
        'set search_path = '''' as %L',
        name, body
    );
    execute format('revoke all on function versioning.%I from public', name);
    execute format('comment on function versioning.%I is %L', name, 'Records changes of ' || relation || '; made by versioning.track().');
    return true;
end;
$$;

revoke all on function versioning._define from public;
comment on function versioning._define is 'Makes the trigger function of a table; false when it is as it should be.';

-- The four triggers on a table and, of a partitioned one, on every partition: a statement fires those of the table that it names.
-- True when the table had none.
create or replace function versioning._attach(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    member regclass;
    event record;
    began boolean := versioning._relation(table_id) is null;
begin
    for member in
        -- The table itself first: _relation() goes by the age of triggers.
        select m.relid
        from (select p.relid, p.level from pg_catalog.pg_partition_tree(relation) p union select relation, 0) m
        order by m.level, m.relid
    loop
        for event in
            select *
            from (
                values
                    ('insert', 'after insert', 'referencing new table as new_rows'),
                    ('update', 'after update', 'referencing old table as old_rows new table as new_rows'),
                    ('delete', 'after delete', 'referencing old table as old_rows'),
                    ('truncate', 'before truncate', '')
            ) e (name, moment, rows)
            where not exists (
                select from pg_catalog.pg_trigger t where t.tgrelid = member and t.tgname = 'versioning_' || e.name
            )
        loop
            execute format(
                'create trigger versioning_%s %s on %s %s for each statement execute function versioning._record_%s()',
                event.name, event.moment, member, event.rows, table_id
            );
        end loop;
    end loop;
    return began;
end;
$$;

revoke all on function versioning._attach from public;
comment on function versioning._attach is 'Puts the triggers on a table and its partitions; true when it had none.';

-- A partition that was detached takes its triggers along. False when there is none.
create or replace function versioning._detach(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    stray record;
    found_one boolean := false;
begin
    for stray in
        select t.tgname, t.tgrelid::regclass as relation
        from pg_catalog.pg_trigger t
        where t.tgfoid = to_regproc('versioning._record_' || table_id)
            and t.tgrelid <> _detach.relation
            and t.tgrelid not in (select p.relid from pg_catalog.pg_partition_tree(_detach.relation) p)
    loop
        execute format('drop trigger %I on %s', stray.tgname, stray.relation);
        found_one := true;
    end loop;
    return found_one;
end;
$$;

revoke all on function versioning._detach from public;
comment on function versioning._detach is 'Takes the triggers off tables that are no partitions any more.';

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

-- Versions as people read them. Row level security of the stored records holds for who asks.
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

revoke all on versioning.history from anon, authenticated, service_role;
grant select on versioning.history to anon, authenticated, service_role;

comment on view versioning.history is 'Every version of every tracked row that the caller may read.';
comment on column versioning.history.id is 'Number of the version among all: what diff(), restore() take.';
comment on column versioning.history.schema_name is 'The schema of its table.';
comment on column versioning.history.table_name is 'Its table.';
comment on column versioning.history.key is 'The primary key as text; of several columns the text of a row: row(a, b)::text.';
comment on column versioning.history.version is 'Its number among the versions of this row, from 1, without gaps.';
comment on column versioning.history.operation is 'create, update, publish, unpublish, delete, restore, truncate; baseline: found when tracking began.';
comment on column versioning.history.at is 'When.';
comment on column versioning.history.actor is 'Who: auth.uid().';
comment on column versioning.history.role is 'As which role.';
comment on column versioning.history.reason is 'Why, when somebody said so: versioning.because(), or the header x-reason.';
comment on column versioning.history.transaction is 'Number of the transaction: what undo() takes.';
comment on column versioning.history.changed is 'The columns that changed, by their names then.';
comment on column versioning.history.before is 'The row before; null when there was none.';
comment on column versioning.history.after is 'The row after; null when there is none.';
comment on column versioning.history.table_id is 'Number of its table in versioning.tables.';

-- A key as the history writes it, from a key as people write it: '007' for 7, a uuid in capitals.
create or replace function versioning._key(relation regclass, key text)
returns text
language plpgsql
stable
set search_path = ''
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
            select string_agg(format('($1)[%s]::%s as %I', c.place, c.type, c.name), ', ' order by c.place)
            from unnest(layout.names[:layout.key_count], layout.types[:layout.key_count]) with ordinality c (name, type, place)
        )
    ) into written using fields;
    return written;
end;
$$;

revoke all on function versioning._key from public;
grant execute on function versioning._key to anon, authenticated, service_role;
comment on function versioning._key is 'A key as the history writes it.';

-- The versions of one row, newest first. Whoever may read one version of a row may read all, so they are numbered by counting them once, from the
-- number of the oldest: the view's own numbers would each be counted anew.
-- Example: select version, at, operation, changed from versioning.versions('public.spectacles', '6f1c…');
create or replace function versioning.versions(relation regclass, key text)
returns setof versioning.history
language sql
stable
set search_path = ''
as $$
    select
        h.id, h.schema_name, h.table_name, h.key,
        (versioning._number_of(min(h.id) over ()) + row_number() over (order by h.id) - 1)::integer,
        h.operation, h.at, h.actor, h.role, h.reason, h.transaction, h.changed, h.before, h.after, h.table_id
    from versioning.history h
    where h.table_id = versioning._require(relation) and h.key = versioning._key(relation, versions.key)
    order by h.id desc;
$$;

revoke all on function versioning.versions from public;
grant execute on function versioning.versions to anon, authenticated, service_role;
comment on function versioning.versions is 'The versions of a row, newest first.';

-- One stored version with its layout, for the verbs; raises when there is none that the caller may read.
create or replace function versioning._record(version bigint, out record versioning.records, out layout versioning.layouts)
language plpgsql
stable
set search_path = ''
as $$
begin
    select r.* into record from versioning.records r where r.id = version;
    select l.* into layout from versioning.layouts l where l.id = record.layout_id;
    if not found then
        raise exception 'there is no version % for you to read', version
            using errcode = 'no_data_found',
                hint = 'versioning.history shows all that you may read; of a row that is gone only editors read the versions.';
    end if;
end;
$$;

revoke all on function versioning._record from public;
grant execute on function versioning._record to anon, authenticated, service_role;
comment on function versioning._record is 'A stored version with its layout.';

-- What differs between the rows that two versions left, column by column; with one version, what it changed. Columns are matched over renames and
-- have the name of the later layout. Values are PostgreSQL's text of them.
-- Example: select * from versioning.diff(1201, 1207);
create or replace function versioning.diff(version bigint, other bigint default null)
returns table (column_name text, type text, before text, after text)
language plpgsql
stable
set search_path = ''
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
        raise exception 'versions % and % cannot be compared: they are of different tables', version, other
            using errcode = 'invalid_parameter_value', hint = 'Compare versions of one row, or of rows of one table.';
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

revoke all on function versioning.diff from public;
grant execute on function versioning.diff to anon, authenticated, service_role;
comment on function versioning.diff is 'What differs between two versions, or what one version changed.';

create or replace function versioning._short(value text)
returns text
language sql
immutable
set search_path = ''
as $$
    select case when value is null then '∅' when length(value) > 40 then '“' || left(value, 39) || '…”' else '“' || value || '”' end;
$$;

revoke all on function versioning._short from public;
grant execute on function versioning._short to anon, authenticated, service_role;
comment on function versioning._short is 'A value short enough for a line.';

-- A version in a line, for people. PostgREST offers it as a column of the history.
create or replace function versioning.summary(version versioning.history)
returns text
language sql
stable
set search_path = ''
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

revoke all on function versioning.summary from public;
grant execute on function versioning.summary to anon, authenticated, service_role;
comment on function versioning.summary is 'A version in a line.';

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

-- One row, named by its last version in the transaction: from what that left to what the first one found. Null when both are nothing.
create or replace function versioning._undo_one(version bigint, if_changed text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    last record := versioning._record(version);
    left_row versioning.records := last.record;
    first record := versioning._record((
        select min(r.id) from versioning.records r
        where r.table_id = left_row.table_id and r.key = left_row.key and r.transaction = left_row.transaction
    ));
    target text[] := versioning._before(first.record, first.layout);
    base text[] := versioning._after(last.record, last.layout);
begin
    if target is null and base is null then
        return null;
    end if;
    return versioning._put_back(
        left_row.table_id, left_row.key, target, first.layout, base, last.layout, null, if_changed,
        'undid transaction ' || left_row.transaction
    );
end;
$$;

revoke all on function versioning._undo_one from public;
grant execute on function versioning._undo_one to anon, authenticated, service_role;
comment on function versioning._undo_one is 'Puts one row back to what it was before a transaction.';

-- Takes back what a transaction did to tracked rows: each is put back to what it was before it. All or nothing, except what `if_changed` allows: a row
-- changed since is refused, merged (what was changed since stays) or overwritten. Undoing is a transaction itself, and can be undone.
-- Last changed first, which is the order that foreign and unique keys want; a row that one refuses waits until others are put back.
-- Example: select * from versioning.undo(876233123456);
create or replace function versioning.undo(transaction bigint, if_changed text default 'refuse')
returns setof jsonb
language plpgsql
set search_path = ''
as $$
declare
    id bigint;
    ids bigint[];
    waiting bigint[];
    done jsonb;
    refusal text;
    refused_as text;
begin
    -- One number stands for an entity: that of its last version in the transaction.
    ids := array(
        select max(r.id) from versioning.records r
        where r.transaction = undo.transaction and r.operation <> 'baseline'
        group by r.table_id, r.key
        order by 1 desc
    );
    if cardinality(ids) = 0 then
        raise exception 'transaction % has no versions that you may read', transaction
            using errcode = 'no_data_found', hint = 'versioning.history has the number in its column `transaction`.';
    end if;
    set constraints all deferred;
    while cardinality(ids) > 0 loop
        waiting := '{}';
        foreach id in array ids loop
            begin
                done := versioning._undo_one(id, if_changed);
                if done is not null then
                    return next done;
                end if;
            exception
                when foreign_key_violation or unique_violation or exclusion_violation then
                    waiting := waiting || id;
                    refusal := sqlerrm;
                    refused_as := sqlstate;
            end;
        end loop;
        if waiting = ids then
            raise exception 'transaction % cannot be undone: %', transaction, refusal
                using errcode = refused_as, hint = 'Put back, or remove, the rows that it speaks of first.';
        end if;
        ids := waiting;
    end loop;
end;
$$;

revoke all on function versioning.undo from public;
grant execute on function versioning.undo to anon, authenticated, service_role;
comment on function versioning.undo is 'Takes back what a transaction did to tracked rows.';

-- Removes old versions, as each table's options say: more than `keep_versions` of an entity, and what ended more than `keep_for` ago. The newest version of
-- an entity always stays; so does, of what ended, the version that was in force `keep_for` ago. Answers how many went.
create or replace function versioning.prune(relation regclass default null)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    table_ versioning.tables;
    pruned bigint := 0;
    removed bigint;
begin
    for table_ in
        select t.*
        from versioning.tables t
        where (prune.relation is null or t.id = versioning._require(prune.relation))
            and (t.keep_versions is not null or t.keep_for is not null)
        order by t.id
    loop
        -- What goes of an entity is its oldest versions, so the first that stays is the one after a doomed one. It tells its number from then on; those
        -- after it count from there.
        with placed as (
            select
                r.id,
                r.key,
                coalesce(min(r.number) over entity, 1) + row_number() over versions - 1 as number,
                coalesce(count(*) over entity - row_number() over versions >= table_.keep_versions, false)
                    or coalesce(lead(r.at) over versions <= now() - table_.keep_for, false) as doomed
            from versioning.records r
            where r.table_id = table_.id
            window entity as (partition by r.key), versions as (partition by r.key order by r.id)
        ), marked as (
            select p.*, lag(p.doomed) over (partition by p.key order by p.id) as follows_doomed from placed p
        ), gone as (
            delete from versioning.records r using marked m where r.id = m.id and m.doomed returning r.id
        ), renumbered as (
            update versioning.records r set number = m.number from marked m where r.id = m.id and not m.doomed and m.follows_doomed
        )
        select count(*) into removed from gone;
        pruned := pruned + removed;
    end loop;
    return pruned;
end;
$$;

revoke all on function versioning.prune from public;
comment on function versioning.prune is 'Removes old versions by the tables'' options; answers how many.';

-- What the nightly job does.
create or replace function versioning.upkeep()
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform versioning.refresh();
    perform versioning.prune();
end;
$$;

revoke all on function versioning.upkeep from public;
comment on function versioning.upkeep is 'Follows changes of tracked tables and removes old versions.';

-- The job of pg_cron that does the upkeep. Without pg_cron a person, or another clock, calls versioning.upkeep().
-- Example: select versioning.schedule('45 3 * * *');
create or replace function versioning.schedule(schedule text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    if to_regprocedure('cron.schedule(text, text, text)') is null then
        raise exception 'pg_cron is not installed: nothing would do the upkeep'
            using errcode = 'feature_not_supported',
                hint = 'create extension pg_cron with schema pg_catalog; or turn it on under Integrations in the dashboard.';
    end if;
    job := cron.schedule('versioning-upkeep', btrim(schedule, ' '), 'select versioning.upkeep()');
    -- Jobs of a restored database come back inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

revoke all on function versioning.schedule from public;
comment on function versioning.schedule is 'Does the upkeep by this cron schedule (UTC); answers the job''s number.';

-- Ends it; false when there was no such job.
create or replace function versioning.unschedule()
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    if to_regclass('cron.job') is null then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = 'versioning-upkeep' and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

revoke all on function versioning.unschedule from public;
comment on function versioning.unschedule is 'Ends the upkeep by the clock.';

-- Every night at a quarter to four, from the first table on, where pg_cron is. A job that is there already is somebody's choice.
create or replace function versioning._schedule_first()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regclass('cron.job') is null then
        raise warning 'old versions are not removed by themselves: pg_cron is not installed'
            using hint = 'Install it, then: select versioning.schedule(''45 3 * * *'')';
    elsif not exists (select from cron.job where jobname = 'versioning-upkeep') then
        perform versioning.schedule('45 3 * * *');
    end if;
end;
$$;

revoke all on function versioning._schedule_first from public;
comment on function versioning._schedule_first is 'Sees that there is a job for the upkeep, where there can be one.';

-- Reads all of the history once: a minute or so for millions of versions.
create or replace view versioning.sizes with (security_invoker = true) as
select
    t.schema_name,
    t.table_name,
    t.tracked,
    count(r.id) as versions,
    count(distinct r.key) as entities,
    coalesce(sum(pg_column_size(r.*)), 0) as bytes,
    min(r.at) as oldest,
    max(r.at) as newest
from versioning.tables t
left join versioning.records r on r.table_id = t.id
group by t.id;

revoke all on versioning.sizes from anon, authenticated, service_role;
grant select on versioning.sizes to service_role;

comment on view versioning.sizes is 'How much history each table has.';
comment on column versioning.sizes.schema_name is 'The table''s schema.';
comment on column versioning.sizes.table_name is 'The table.';
comment on column versioning.sizes.tracked is 'Is it tracked now?';
comment on column versioning.sizes.versions is 'Versions kept.';
comment on column versioning.sizes.entities is 'Rows that have versions.';
comment on column versioning.sizes.bytes is 'Bytes of the versions, indexes not counted.';
comment on column versioning.sizes.oldest is 'The oldest version.';
comment on column versioning.sizes.newest is 'The newest version.';
