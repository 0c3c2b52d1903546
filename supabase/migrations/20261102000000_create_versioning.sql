-- Generated from the schemas by `npm run migrations`. Do not edit.

do $$
declare
    taken name := (
        select n.nspname
        from pg_catalog.pg_namespace n
        join pg_catalog.pg_roles r on r.oid = n.nspowner
        where n.nspname in ('versioning', 'versioning_private') and r.rolname <> current_user and not r.rolsuper
        limit 1
    );
begin
    -- The owner of a schema can replace everything in it.
    if taken is not null then
        raise exception 'Cannot install versioning: schema "%" belongs to another role', taken
            using errcode = 'duplicate_schema', hint = 'Rename that schema, or install as its owner.';
    end if;
    if to_regnamespace('versioning') is not null and to_regclass('versioning.records') is null
        and exists (select from pg_catalog.pg_class where relnamespace = to_regnamespace('versioning'))
    then
        raise exception 'Cannot create schema "versioning": it exists and holds other tables'
            using errcode = 'duplicate_schema',
                hint = 'Rename it first: alter schema versioning rename to another_name';
    end if;
end;
$$;

create schema if not exists versioning;

comment on schema versioning is
    'Row histories: track a table, then read, compare and restore the versions of its rows. An entity is a row over '
    'time, identified by table and primary key; a version is the result of one change.';

create schema if not exists versioning_private;

comment on schema versioning_private is
    'How versioning records changes. No role of the API may use this schema; it belongs with the schema versioning.';

do $$
begin
    if to_regtype('versioning.operation') is null then
        create type versioning.operation as enum (
            'baseline', 'create', 'update', 'publish', 'unpublish', 'delete', 'restore', 'truncate'
        );
    end if;
end;
$$;

comment on type versioning.operation is
    'What a change was. A baseline is a row that existed when tracking began; all others are changes that were seen.';

create or replace function versioning.transaction()
returns bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    -- Seconds since 2020, then 22 bits of the transaction id. Ids alone begin again in another cluster, where a
    -- restored history would then mix with new changes. Fits a JavaScript number (53 bits) until 2088.
    select (date_part('epoch', now())::bigint - 1577836800) << 22 | (txid_current() & 4194303);
$$;

comment on function versioning.transaction is
    'Returns the number under which the versions of this transaction are recorded. versioning.undo() takes it.';

create or replace function versioning.because(reason text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select set_config('versioning.reason', coalesce(reason, ''), true);
$$;

comment on function versioning.because is
    'Sets the reason that the versions of this transaction record. Over the API, send the header x-reason instead. '
    'Example: select versioning.because(''typing error on the poster'')';

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

comment on table versioning.settings is 'Settings of the histories: one row, changed by versioning.configure().';
comment on column versioning.settings.id is 'Always true: there is one row.';
comment on column versioning.settings.editor_role is
    'Name of the role whose members read all histories: a database role, or app_metadata.role in the token.';

create or replace function versioning.configure(editor_role text default null)
returns versioning.settings
language sql
-- service_role may change the settings, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
    update versioning.settings s
    set editor_role = coalesce(configure.editor_role, s.editor_role)
    returning s.*;
$$;

comment on function versioning.configure is
    'Changes the settings that the call names and returns all settings. Example: select '
    'versioning.configure(editor_role => ''redaction'')';

create or replace function versioning._is_editor()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
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

comment on function versioning._is_editor is
    'Returns whether the caller may read all histories: as a member of the editor role, or by app_metadata.role in '
    'the token, which only the service can write.';

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

-- Not unique: a dropped table keeps its name here, and a new table of that name may be tracked.
create index if not exists tables_by_name on versioning.tables (schema_name, table_name);

alter table versioning.tables enable row level security;

comment on table versioning.tables is
    'Tables that are or were tracked, with their options. By name and never by OID, because names survive a restore '
    'elsewhere. The triggers show where a table is now; track(), untrack() and refresh() update the name here.';
comment on column versioning.tables.id is 'Number of the table. Its trigger function is versioning._record_<id>().';
comment on column versioning.tables.schema_name is 'Schema of the table.';
comment on column versioning.tables.table_name is 'Name of the table.';
comment on column versioning.tables.tracked is
    'False after untrack(); the history is kept and continues when the table is tracked again.';
comment on column versioning.tables.left_out is
    'Numbers of the columns that are not recorded. Numbers, so that a rename changes nothing.';
comment on column versioning.tables.published is
    'Number of the column, boolean or time, that distinguishes published rows from drafts.';
comment on column versioning.tables.keep_versions is 'How many versions of an entity prune() keeps; null keeps all.';
comment on column versioning.tables.keep_for is
    'For how long prune() keeps the past states of an entity; null keeps them forever.';

create table if not exists versioning.layouts (
    id integer generated by default as identity primary key,
    -- Only the id is unique: after a change of a table, two writers may each add its new layout without waiting for
    -- each other. Both rows say the same.
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

alter table versioning.layouts enable row level security;

comment on table versioning.layouts is
    'The columns of tracked tables at the time of their versions; values are meaningless without them. Each array '
    'has one element per column: the key first, then the other recorded columns, then those left out. Generated '
    'columns are not included, because they follow from the others.';
comment on column versioning.layouts.id is 'Number of the layout.';
comment on column versioning.layouts.table_id is 'Number of the table in versioning.tables.';
comment on column versioning.layouts.key_count is 'Number of columns of the primary key; they come first.';
comment on column versioning.layouts.recorded_count is
    'Number of recorded columns, including the key; those left out come last.';
comment on column versioning.layouts.numbers is
    'Permanent numbers of the columns. They survive renames, new positions and a restore elsewhere.';
comment on column versioning.layouts.names is 'Names of the columns at that time.';
comment on column versioning.layouts.types is 'Types of the columns at that time.';
comment on column versioning.layouts.positions is
    'attnum of the columns at that time, by which a rename is recognized.';
comment on column versioning.layouts.created_at is 'When this layout was first seen.';

create table if not exists versioning.records (
    id bigint generated by default as identity primary key,
    transaction bigint not null,
    at timestamptz not null default clock_timestamp(),
    -- No foreign keys: each would cost every writer of a tracked table a lookup, and only the triggers write here.
    table_id integer not null,
    layout_id integer not null,
    operation versioning.operation not null,
    number integer,
    -- Compared byte by byte: the order is irrelevant, and this is several times as fast as a language's order.
    key text collate "C" not null,
    actor text,
    role text,
    reason text,
    row text not null,
    before text[]
);

create index if not exists records_of_entity on versioning.records (table_id, key);

-- Records arrive in order of time, so a few bytes per range of pages find a transaction or a day among millions.
create index if not exists records_by_time on versioning.records using brin (transaction, at) with (pages_per_range = 32);

alter table versioning.records enable row level security;

comment on table versioning.records is
    'Versions as they are stored; read the view versioning.history instead. Values are stored as PostgreSQL''s own '
    'text of them, which restores them exactly. The versions of an entity are ordered by id: writers of the same row '
    'wait for each other, so ids follow the order of the changes.';
comment on column versioning.records.id is 'Number of the version among all versions.';
comment on column versioning.records.transaction is
    'The transaction that made it, as versioning.transaction() numbers it.';
comment on column versioning.records.at is 'When the row was changed; later for each version of an entity.';
comment on column versioning.records.table_id is 'Number of the table in versioning.tables.';
comment on column versioning.records.layout_id is 'The layout of row and before.';
comment on column versioning.records.operation is 'What the change was.';
comment on column versioning.records.number is
    'Number among the versions of the entity, where prune() removed earlier ones; null: count them.';
comment on column versioning.records.key is
    'The primary key: the text of its value, or of the row of its values if there are several.';
comment on column versioning.records.actor is 'Who made the change: `sub` of the token, as auth.uid() reads it.';
comment on column versioning.records.role is 'The role that made the change.';
comment on column versioning.records.reason is 'Why the change was made, if a reason was given.';
comment on column versioning.records.row is
    'The recorded columns without the key, as the text of a row: after the change, or before it for delete and '
    'truncate.';
comment on column versioning.records.before is
    'For an update: `=` and the old value of each changed column, `-` where it was null, null for unchanged columns; '
    'or one element, the text of the old row in the form of `row`. Null for a new row.';

create or replace function versioning._number_of(version bigint)
returns integer
language sql
stable
-- The number must not depend on who asks, and row level security would be checked for every version that is counted.
-- The function takes no key, so it does not reveal whether a key exists: guessing an id yields a count.
security definer
set search_path = pg_catalog, pg_temp
as $$
    select count(*)::integer + coalesce(min(r.number), 1) - 1
    from versioning.records v
    join versioning.records r on r.table_id = v.table_id and r.key = v.key and r.id <= v.id
    where v.id = version;
$$;

comment on function versioning._number_of is
    'Returns the number of a version among those of its entity. It is counted on request: so there are no gaps with '
    'several writers, and no writer has to look up the last number.';

create or replace function versioning._values(literal text)
returns text[]
language plpgsql
immutable
strict
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Cut at the quotes: every second piece is inside them.
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
            -- Nothing between two quotes: a doubled quote.
            field := field || '"';
        elsif pieces[i] <> '' then
            outside := string_to_array(pieces[i], ',', '');
            if i > 1 then
                outside[1] := replace(field, '\\', '\');
                field := null;
            end if;
            -- The text after the last comma begins the next quoted field.
            found := found || outside[:cardinality(outside) - (i < cardinality(pieces))::integer];
        end if;
    end loop;
    return case when field is null then found else found || replace(field, '\\', '\') end;
end;
$$;

comment on function versioning._values is
    'Returns the fields of the text of a row, as record_out() writes it: (a,"b ""c""",,""). A field is quoted if it '
    'is empty or holds a special character; quotes and backslashes in it are doubled; null is nothing at all.';

create or replace function versioning._row(like_row anyelement, fields text[])
returns anyelement
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Not a cast of the text: the owner of the type may have made one.
    like_row := pg_catalog.record_in(
        pg_catalog.textout((
            select '(' || string_agg(
                case when f.value is null then '' else '"' || replace(replace(f.value, '\', '\\'), '"', '""') || '"' end,
                ',' order by f.position
            ) || ')'
            from unnest(fields) with ordinality f (value, position)
        )),
        pg_typeof(like_row), -1
    );
    return like_row;
end;
$$;

comment on function versioning._row is 'Returns a row of the type of `like_row` with these values, one per column.';

create or replace function versioning._json_of(value text)
returns jsonb
language plpgsql
immutable
strict
set search_path = pg_catalog, pg_temp
as $$
begin
    return value::jsonb;
exception
    -- A column of type json may hold what jsonb cannot: the character U+0000, half of a surrogate pair, huge numbers.
    when data_exception or program_limit_exceeded then
        return to_jsonb(value);
end;
$$;

comment on function versioning._json_of is
    'Returns the value of JSON text; where jsonb cannot hold it, the text itself.';

create or replace function versioning._json_of_row(like_row anyelement)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    object jsonb;
begin
    return to_jsonb(like_row);
exception
    when data_exception or program_limit_exceeded then
        execute format(
            'select jsonb_object_agg(c.name, c.value) from (values %s) c (name, value)',
            (
                select string_agg(format('(%L, versioning._json_of(to_json(($1).%I)::text))', a.attname, a.attname), ', ')
                from pg_catalog.pg_type t
                join pg_catalog.pg_attribute a on a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
                where t.oid = pg_typeof(like_row)
            )
        ) into object using like_row;
        return object;
end;
$$;

comment on function versioning._json_of_row is
    'Returns a row as JSON; columns whose JSON jsonb cannot hold as their text.';

create or replace function versioning._json(value text, type text)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when value is null then 'null'::jsonb
        when type = 'jsonb' then value::jsonb
        when type = 'json' then versioning._json_of(value)
        when type = 'boolean' then to_jsonb(value::boolean)
        -- JSON has no NaN and no infinity.
        when type ~ '^(smallint|integer|bigint|numeric|real|double precision)($|\()' and value ~ '[0-9]' then to_jsonb(value::numeric)
        else to_jsonb(value)
    end;
$$;

comment on function versioning._json is
    'Returns the text of a value as JSON: numbers, booleans and JSON as such, everything else as a string.';

create or replace function versioning._recorded(record versioning.records, layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when layout.key_count = 1 then array[record.key] else versioning._values(record.key) end
        || (versioning._values(record.row))[:layout.recorded_count - layout.key_count];
$$;

comment on function versioning._recorded is
    'Returns the values that a record stores, in the order of its layout: the key first.';

create or replace function versioning._after(record versioning.records, layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when record.operation not in ('delete', 'truncate') then versioning._recorded(record, layout) end;
$$;

comment on function versioning._after is
    'Returns the values after a change, in the order of its layout; null if there is no row.';

create or replace function versioning._before(record versioning.records, layout versioning.layouts)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    fields text[] := versioning._recorded(record, layout);
begin
    if record.operation in ('delete', 'truncate') then
        return fields;
    end if;
    -- An update that changes the key is recorded as a deleted and a created row.
    if record.before is null or record.operation in ('create', 'baseline') then
        return null;
    end if;
    -- A short row that was updated alone is stored whole.
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

comment on function versioning._before is
    'Returns the values before a change, in the order of its layout; null if there was no row.';

create or replace function versioning._object(fields text[], layout versioning.layouts)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_object_agg(c.name, versioning._json(c.value, c.type))
    from unnest(fields, layout.names[:layout.recorded_count], layout.types[:layout.recorded_count]) c (value, name, type)
    where fields is not null;
$$;

comment on function versioning._object is
    'Returns values as a JSON object with the names of their columns; null for null.';

create or replace function versioning._changed(before text[], after text[], layout versioning.layouts)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(c.name order by c.position) filter (where c.before is distinct from c.after), '{}')
    from unnest(before, after, layout.names[:layout.recorded_count]) with ordinality c (before, after, name, position);
$$;

comment on function versioning._changed is
    'Returns the names of the columns in which two states differ; a missing state counts as nulls.';

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

-- The trigger functions run with their owner's rights, and the owner of a table can make casts and operators for the
-- types of its columns, which the server would prefer to its own. So no cast and no operator is looked up for a type
-- that anyone but a superuser can have made: text comes from the output functions of the types, and text is compared.

create or replace function versioning._base_type(type oid)
returns oid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    base oid := type;
begin
    -- Types below 16384 come with the server.
    while base >= 16384 loop
        select t.typbasetype into base from pg_catalog.pg_type t where t.oid = type and t.typtype = 'd';
        exit when not found;
        type := base;
    end loop;
    return type;
end;
$$;

comment on function versioning._base_type is
    'Returns a type, or the type behind a domain: domains take no part in casts and operators.';

create or replace function versioning._text_of(type oid, value text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Collation "C", because the column's own collation may consider different texts equal.
    return format(
        case
            when versioning._base_type(type) < 16384 then '(%s::pg_catalog.text collate pg_catalog."C")'
            -- concat() calls the output function of any type.
            else '(case when %1$s is distinct from null then pg_catalog.concat(%1$s) end collate pg_catalog."C")'
        end,
        value
    );
end;
$$;

comment on function versioning._text_of is 'Returns SQL for the text of the value of SQL `value`; null stays null.';

create or replace function versioning._value_of(type oid, value text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    base oid := case when type < 16384 then type else versioning._base_type(type) end;
begin
    -- Casts from text to a base type are made by a superuser; to other types, possibly by their owners.
    if base < 16384 or exists (select from pg_catalog.pg_type t where t.oid = base and t.typtype = 'b' and t.typelem = 0) then
        return format('%s::%s', value, pg_catalog.format_type(base, -1));
    end if;
    return value;
end;
$$;

comment on function versioning._value_of is
    'Returns SQL for the value of the text of SQL `value`: of the type behind a domain, whose checks may call '
    'functions of other roles. Where a cast from text may be another role''s, the SQL stays text.';

create or replace view versioning._key_columns with (security_invoker = true) as
select
    i.indrelid as relation,
    k.place,
    a.attname as name,
    a.atttypid as type,
    case
        when a.atttypid = p.oprleft and a.atttypid = p.oprright
            or p.oprnamespace = 'pg_catalog'::regnamespace and versioning._base_type(a.atttypid) < 16384
        then format('operator(%I.%s)', p.oprnamespace::regnamespace::name, p.oprname)
    end as operator
from pg_catalog.pg_index i
cross join unnest(i.indkey::smallint[], i.indclass::oid[]) with ordinality k (position, class, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.position
join pg_catalog.pg_opclass c on c.oid = k.class
join pg_catalog.pg_amop m
    on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
join pg_catalog.pg_operator p on p.oid = m.amopopr
where i.indisprimary;

comment on view versioning._key_columns is
    'Columns of primary keys, with their operator of equality if it is the server''s, or a superuser''s for exactly '
    'this type.';
comment on column versioning._key_columns.relation is 'Table.';
comment on column versioning._key_columns.place is 'Position in the key, from 1.';
comment on column versioning._key_columns.name is 'Name of the column.';
comment on column versioning._key_columns.type is 'Type of the column.';
comment on column versioning._key_columns.operator is 'SQL of the operator; null: compare the text of the values.';

create or replace function versioning._key_text(relation regclass, layout versioning.layouts, alias text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when layout.key_count = 1 then min(versioning._text_of(k.type, k.value))
        else 'pg_catalog.textin(pg_catalog.record_out(row(' || string_agg(k.value, ', ' order by k.place) || ')))'
    end
    from (
        select
            c.place,
            a.atttypid as type,
            -- Equal numerics must have the same text.
            format(case when a.atttypid = 'numeric'::regtype then 'pg_catalog.trim_scale(%I.%I)' else '%I.%I' end, alias, c.name) as value
        from unnest(layout.names[:layout.key_count]) with ordinality c (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = c.name
    ) k;
end;
$$;

comment on function versioning._key_text is
    'Returns SQL for the text of the key of `alias`: of its value, or of the row of its values if there are several.';

-- The server may run functions of a table's owner with the rights of a role that reads the table or computes its
-- defaults. Where a role would run them only because it keeps or reads a history, that is refused. A function of a role
-- that may act as the reader anyway, or as the owner of this schema, gains nothing by it.

create or replace function versioning._is_trusted(role oid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return pg_has_role(role, current_user, 'member')
        or exists (select from pg_catalog.pg_namespace n where n.nspname = 'versioning' and pg_has_role(role, n.nspowner, 'member'));
end;
$$;

comment on function versioning._is_trusted is
    'Returns whether a role may act as the current role or as the owner of this schema.';

create or replace view versioning._foreign_functions with (security_invoker = true) as
select d.classid as class, d.objid as object, p.oid::regprocedure as function, pg_get_userbyid(p.proowner) as owner
from pg_catalog.pg_depend d
left join pg_catalog.pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
join pg_catalog.pg_proc p on p.oid = case d.refclassid when 'pg_proc'::regclass then d.refobjid else o.oprcode end
where not versioning._is_trusted(p.proowner);

comment on view versioning._foreign_functions is
    'Functions of untrusted roles that objects depend on, directly or through an operator.';
comment on column versioning._foreign_functions.class is 'Catalog of the object.';
comment on column versioning._foreign_functions.object is 'OID of the object.';
comment on column versioning._foreign_functions.function is 'Name of the function.';
comment on column versioning._foreign_functions.owner is 'Owner of the function.';

create or replace function versioning._require_safe_types(relation regclass)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found record;
begin
    -- Nearly all tables: trusted defaults, and only types of the server.
    if (select versioning._is_trusted(c.relowner) from pg_catalog.pg_class c where c.oid = relation)
        and not exists (
            select from pg_catalog.pg_attribute a where a.attrelid = relation and a.attnum > 0 and a.atttypid >= 16384
        )
    then
        return;
    end if;
    with recursive types as (
        select c.reltype as oid from pg_catalog.pg_class c where c.oid = relation
        union
        select part.oid
        from types y
        join pg_catalog.pg_type t on t.oid = y.oid
        cross join lateral (
            select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            union all
            select r.rngsubtype from pg_catalog.pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
            union all
            select r.rngtypid from pg_catalog.pg_range r where t.oid = r.rngmultitypid
            union all
            values (t.typbasetype), (t.typelem)
        ) part (oid)
        where part.oid >= 16384
    ), objects as (
        select 'pg_attrdef'::regclass as class, d.oid from pg_catalog.pg_attrdef d where d.adrelid = relation
        union all
        select 'pg_constraint'::regclass, k.oid from types y join pg_catalog.pg_constraint k on k.contypid = y.oid
        union all
        select 'pg_cast'::regclass, k.oid
        from types y
        join pg_catalog.pg_cast k
            on k.castsource = y.oid and k.casttarget in ('json'::regtype, 'jsonb'::regtype)
            -- The text of expressions is parsed again.
            or y.oid in (k.castsource, k.casttarget) and exists (select from pg_catalog.pg_attrdef d where d.adrelid = relation)
    )
    select f.function, f.owner into found
    from objects o
    join versioning._foreign_functions f on f.class = o.class and f.object = o.oid
    limit 1;
    if found.function is not null then
        raise exception 'Cannot read table "%" as it was: role "%" would run function % of role "%"',
            relation, current_user, found.function, found.owner
            using errcode = 'insufficient_privilege',
                hint = 'Read versioning.history instead, or ask as the owner of the function.';
    end if;
end;
$$;

comment on function versioning._require_safe_types is
    'Raises when computing rows of a table would run code of an untrusted role: defaults, generated columns, checks '
    'of domains, casts to JSON.';

create or replace function versioning._named(schema_name text, table_name text)
returns regclass
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    -- to_regclass() would raise for a role that may not use the schema.
    select c.oid::regclass
    from pg_catalog.pg_namespace n
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = table_name
    where n.nspname = schema_name;
$$;

comment on function versioning._named is 'Returns a table by its names; null if there is none.';

create or replace function versioning._place(table_id integer)
returns regclass
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        versioning._relation(table_id),
        (select versioning._named(t.schema_name, t.table_name) from versioning.tables t where t.id = table_id)
    );
$$;

comment on function versioning._place is
    'Returns where a table is that is or was tracked, by its triggers or by its last name; null if it is gone.';

create or replace function versioning._may_select(relation regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
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

comment on function versioning._may_select is 'Returns whether grants let the caller read all columns of a table.';

-- Of an earlier version.
drop function if exists versioning._by_key(regclass, text);

create or replace function versioning._by_key(relation regclass, alias text, key_values text[])
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return string_agg(
        case
            when k.operator is not null
            then format('%I.%I %s %s', alias, k.name, k.operator, versioning._value_of(k.type, quote_nullable(key_values[k.place])))
            else format('%s operator(pg_catalog.=) %L', versioning._text_of(k.type, format('%I.%I', alias, k.name)), key_values[k.place])
        end,
        ' and ' order by k.place
    )
    from versioning._key_columns k
    where k.relation = _by_key.relation;
end;
$$;

comment on function versioning._by_key is
    'Returns SQL that finds the row of `alias` by the values of its key; null for a table without primary key.';

create or replace function versioning._key_values(key text, key_count integer)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when key_count = 1 then array[key] else versioning._values(key) end;
$$;

comment on function versioning._key_values is 'Returns the values of the text of a key.';

create or replace function versioning._readable(table_id integer, key text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass := versioning._place(table_id);
    condition text;
    found boolean;
begin
    if not versioning._may_select(relation) then
        return false;
    end if;
    condition := versioning._by_key(relation, 't', versioning._key_values(
        key, (select i.indnkeyatts from pg_catalog.pg_index i where i.indrelid = relation and i.indisprimary)
    ));
    if condition is null then
        return false;
    end if;
    execute format('select exists (select from %s t where %s)', relation, condition) into found;
    return found;
exception
    -- The type of the key has changed and does not accept this value.
    when data_exception then
        return false;
end;
$$;

comment on function versioning._readable is
    'Returns whether the caller may read the row that has this key now. It runs with the caller''s rights, so the '
    'policies of the table decide.';

-- The names of columns are visible to those who may read the table; these tables hold no values.
drop policy if exists "of readable tables" on versioning.tables;
create policy "of readable tables" on versioning.tables for select
using (
    (select versioning._is_editor())
    or versioning._may_select(coalesce(versioning._relation(id), versioning._named(schema_name, table_name)))
);

drop policy if exists "of readable tables" on versioning.layouts;
create policy "of readable tables" on versioning.layouts for select
using (exists (select from versioning.tables t where t.id = table_id));

-- A version is visible to those who may read its row now; versions of a row that is gone, to editors only.
drop policy if exists "of readable rows" on versioning.records;
create policy "of readable rows" on versioning.records for select
using ((select versioning._is_editor()) or versioning._readable(table_id, key));

create or replace function versioning_private.current_layout(table_id integer, relation regclass)
returns versioning.layouts
language plpgsql
set search_path = pg_catalog, pg_temp
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

comment on function versioning_private.current_layout is
    'Returns the layout of a table as it is now and stores it if it is new. Returns null for a table without primary '
    'key.';

create or replace function versioning_private.relation_at_plan_time(table_id integer)
returns regclass
language sql
-- Not true, on purpose: see the comment below.
immutable
set search_path = pg_catalog, pg_temp
as $$
    select versioning._relation(table_id);
$$;

comment on function versioning_private.relation_at_plan_time is
    'Returns where a table was when the calling expression was planned. Trigger functions must not read the catalog '
    'for every statement. Because this function is declared immutable, although it is not, the server calls it once, '
    'when it plans the expression, and keeps the result in the plan as a constant. The constant is the OID of a '
    'table, so the server drops the plan when that table is altered in any way, and calls the function again. '
    'tests/versioning/plan_time_test.ts tries this on each version of the server.';

create or replace function versioning_private.is_current_at_plan_time(table_id integer, layout_id integer)
returns boolean
language plpgsql
-- Not true, on purpose: as above. Valid only in an expression that calls relation_at_plan_time() too.
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    layout versioning.layouts;
begin
    select l.* into layout from versioning.layouts l where l.id = layout_id;
    return versioning._same(layout, versioning._shape(table_id, versioning._relation(table_id)));
end;
$$;

comment on function versioning_private.is_current_at_plan_time is
    'Returns whether a table still had this layout when the calling expression was planned, by the same means as '
    'relation_at_plan_time(), which must stand in the same expression.';

create or replace function versioning_private.require_safe_read(relation regclass, purpose text, advice text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found text;
begin
    with members as (
        select relation as oid union select p.relid from pg_catalog.pg_partition_tree(relation) p
    ), objects as (
        select 'pg_class'::regclass as class, m.oid from members m
        union all
        select 'pg_class'::regclass, i.indexrelid from members m join pg_catalog.pg_index i on i.indrelid = m.oid
        union all
        select 'pg_statistic_ext'::regclass, s.oid from members m join pg_catalog.pg_statistic_ext s on s.stxrelid = m.oid
    )
    select format('run function %s of role "%s"', f.function, f.owner) into found
    from objects o
    join versioning._foreign_functions f on f.class = o.class and f.object = o.oid
    union all
    select format('follow policies of table %s', m.oid::regclass) from members m where row_security_active(m.oid)
    limit 1;
    if found is not null then
        raise exception 'Cannot % table "%": role "%" would %', purpose, relation, current_user, found
            using errcode = 'insufficient_privilege', hint = advice;
    end if;
end;
$$;

comment on function versioning_private.require_safe_read is
    'Raises when reading a table would run code of an untrusted role: the server evaluates parts of its index, '
    'statistics and partitioning expressions when it plans a query, and its policies when it reads.';

create or replace function versioning_private.same_key(relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(
        case
            when k.operator is not null then format('o.%1$I %2$s n.%1$I', k.name, k.operator)
            else versioning._text_of(k.type, format('o.%I', k.name)) || ' operator(pg_catalog.=) '
                || versioning._text_of(k.type, format('n.%I', k.name))
        end,
        ' and ' order by k.place
    )
    from versioning._key_columns k
    where k.relation = same_key.relation;
$$;

comment on function versioning_private.same_key is 'Returns SQL for whether the rows `o` and `n` have the same key.';

create or replace function versioning_private.row_text(layout versioning.layouts, alias text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select 'pg_catalog.textin(pg_catalog.record_out(row('
        || coalesce(string_agg(format('%I.%I', alias, c.name), ', ' order by c.place), '') || ')))'
    from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality c (name, place);
$$;

comment on function versioning_private.row_text is
    'Returns SQL for the text of the recorded columns of `alias` without the key.';

create or replace function versioning_private.old_values(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select 'array[' || coalesce(
        string_agg(
            format(
                'coalesce(''='' || %s, case when o.%2$I is not distinct from null and n.%2$I is distinct from null then ''-'' end)',
                case
                    when c.is_enum then format(
                        'case when pg_catalog.enum_eq(o.%1$I, n.%1$I) then null else pg_catalog.textin(pg_catalog.enum_out(o.%1$I)) end', c.name
                    )
                    when c.is_exact then format('nullif(o.%1$I, n.%1$I)::pg_catalog.text', c.name)
                    else format('nullif(%s, %s)', c.old, c.new)
                end,
                c.name
            ),
            ', ' order by c.place
        ),
        ''
    -- The columns may have several collations.
    ) || ']::pg_catalog.text[] collate pg_catalog."C"'
    from (
        select
            n.place,
            n.name,
            versioning._text_of(a.atttypid, format('o.%I', n.name)) as old,
            versioning._text_of(a.atttypid, format('n.%I', n.name)) as new,
            t.typtype = 'e' as is_enum,
            -- For these types, values that `=` considers equal have the same text. Others, such as the numerics 1.0 and
            -- 1.00, are compared by their text.
            a.atttypid = any (array[
                'smallint', 'integer', 'bigint', 'oid', 'boolean', 'uuid', 'bytea', 'date', 'time', 'timestamp',
                'timestamptz', '"char"', 'name'
            ]::regtype[])
            or a.atttypid in ('text'::regtype, 'varchar'::regtype) and l.collisdeterministic as is_exact
        from unnest(layout.names[layout.key_count + 1:layout.recorded_count]) with ordinality n (name, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_collation l on l.oid = a.attcollation
    ) c;
$$;

comment on function versioning_private.old_values is
    'Returns SQL for the old values of the columns that an update changed, as records store them in `before`.';

create or replace function versioning_private.is_published(table_id integer, relation regclass, layout versioning.layouts, alias text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        case when a.atttypid = 'boolean'::regtype then 'coalesce(%I.%I, false)' else '(%I.%I is not null)' end, alias, a.attname
    )
    from versioning.tables t
    join pg_catalog.pg_attribute a
        on a.attrelid = relation and a.attname = layout.names[array_position(layout.numbers, t.published)]
    where t.id = table_id;
$$;

comment on function versioning_private.is_published is
    'Returns SQL for whether the row `alias` is published; null if no column shows it.';

create or replace function versioning_private.recording_statement(
    table_id integer,
    relation regclass,
    layout versioning.layouts,
    event text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The transition table that has the row; an update may need both.
    alias text := case when event in ('INSERT', 'UPDATE ONE') then 'n' else 'o' end;
    first_key text := format('%I', layout.names[1]);
    key text := versioning._key_text(relation, layout, alias);
    row_text text := versioning_private.row_text(layout, alias);
    -- Typed, so that the text is not converted again for every row.
    constant text := format(
        '%L::versioning.operation', case event when 'INSERT' then 'create' when 'UPDATE ONE' then 'update' else lower(event) end
    );
    operation text;
    restored text;
    before text;
    was_published text := versioning_private.is_published(table_id, relation, layout, 'o');
    is_published text := versioning_private.is_published(table_id, relation, layout, 'n');
    changed_to text := case when is_published is not null then format(
        'when %1$s and not %2$s then ''publish'' when %2$s and not %1$s then ''unpublish''', is_published, was_published
    ) end;
begin
    if event = 'UPDATE' then
        key := format(
            'case when n.%s is not distinct from null then %s else %s end',
            first_key, key, versioning._key_text(relation, layout, 'n')
        );
        row_text := format(
            'case when n.%s is not distinct from null then %s else %s end',
            first_key, row_text, versioning_private.row_text(layout, 'n')
        );
    end if;
    before := case event
        when 'UPDATE' then versioning_private.old_values(relation, layout)
        when 'UPDATE ONE' then versioning_private.row_text(layout, 'o')
        else 'null::pg_catalog.text[]'
    end;
    restored := format('when current_setting(''versioning.restoring'', true) = %L || %s then ''restore''', table_id || ':', key);
    operation := case event
        when 'INSERT' then format('case %s else %s end', restored, constant)
        when 'UPDATE' then format(
            'case when o.%1$s is not distinct from null then ''create'' '
            'when n.%1$s is not distinct from null then ''delete'' %2$s %3$s else %4$s end',
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
        -- Like auth.uid(), but any text: not every issuer of tokens uses uuids.
        'coalesce(nullif(current_setting(''request.jwt.claim.sub'', true), ''''), '
        'nullif(current_setting(''request.jwt.claims'', true), '''')::pg_catalog.json ->> ''sub''), '
        'coalesce(nullif(current_setting(''role''), ''none''), session_user), '
        'coalesce(nullif(current_setting(''versioning.reason'', true), ''''), '
        'nullif(current_setting(''request.headers'', true), '''')::pg_catalog.json ->> ''x-reason''), s.row, %s '
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
            -- A full join, because a changed key ends one entity and begins another, and because it is never planned as
            -- a nested loop, which a plan made for one row would otherwise use for a hundred thousand rows. Without
            -- `offset` the old values would be computed twice.
            when 'UPDATE' then format('old_rows o full join new_rows n on %s offset 0', versioning_private.same_key(relation))
            -- `is true` leaves only a nested loop to the planner, which starts fastest.
            when 'UPDATE ONE' then format(
                'old_rows o, new_rows n where not exists (select from new_rows offset 1) and (%s) is true offset 0',
                versioning_private.same_key(relation)
            )
            -- The triggers of a partitioned table fire first, then those of its partitions: each records its own rows.
            when 'TRUNCATE' then format('only %s o', relation)
            -- A history that stopped for a while does not know these rows, or knows other values.
            when 'BASELINE' then format(
                '%s o left join lateral ('
                'select r.operation, r.layout_id, r.row from versioning.records r where r.table_id = %s and r.key = %s order by r.id desc limit 1'
                ') l on true where l.row is null or l.operation in (''delete'', ''truncate'') or l.layout_id <> %s or l.row <> %s',
                relation, table_id, key, layout.id, row_text
            )
        end,
        case event
            when 'UPDATE' then format(
                ' where s.before <> %L::pg_catalog.text[] or s.operation in (''create'', ''delete'')',
                array_fill(null::text, array[layout.recorded_count - layout.key_count])
            )
            -- The server would compress longer rows or store them separately.
            when 'UPDATE ONE' then ' where s.before <> s.row and octet_length(s.before) < 2000'
        end
    );
end;
$$;

comment on function versioning_private.recording_statement is
    'Returns the INSERT that records what an INSERT, UPDATE, DELETE or TRUNCATE did, or the rows at the beginning of '
    'tracking (BASELINE). UPDATE ONE is for the usual case, one short row that keeps its key; for any other update '
    'it records nothing. It stores the whole old row, which takes more space than the changed columns and a tenth '
    'less time. An update that changes nothing is not recorded.';

create or replace function versioning_private.differs_from_exact_settings(relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with types as (
        select
            case
                -- All settings matter to types that contain others, and to those of extensions.
                when b.typnamespace <> 'pg_catalog'::regnamespace and b.typtype <> 'e' or b.typtype in ('c', 'r', 'm') then 'any'
                when b.typcategory = 'D' then 'time'
                when b.typcategory = 'T' then 'interval'
                when b.typcategory = 'G' or b.oid in ('real'::regtype, 'double precision'::regtype) then 'float'
                when b.oid = 'bytea'::regtype then 'bytea'
            end as kind
        from unnest(layout.names[:layout.recorded_count]) n (name)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attname = n.name
        join pg_catalog.pg_type t on t.oid = a.atttypid
        -- A domain is written like its base type, an array by its elements.
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

comment on function versioning_private.differs_from_exact_settings is
    'Returns SQL for whether the session''s settings write values of the table in another form than the history has '
    'them; null if no setting matters to its types.';

create or replace function versioning_private.apply_settings(settings text[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select
        set_config('TimeZone', settings[1], true),
        set_config('DateStyle', settings[2], true),
        set_config('IntervalStyle', settings[3], true),
        set_config('extra_float_digits', settings[4], true),
        set_config('bytea_output', settings[5], true);
$$;

comment on function versioning_private.apply_settings is
    'Sets how this transaction writes values, as apply_exact_settings() returned it.';

create or replace function versioning_private.apply_exact_settings()
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    own text[] := array[
        current_setting('TimeZone'),
        current_setting('DateStyle'),
        current_setting('IntervalStyle'),
        current_setting('extra_float_digits'),
        current_setting('bytea_output')
    ];
begin
    perform versioning_private.apply_settings('{UTC,ISO,postgres,1,hex}');
    return own;
end;
$$;

comment on function versioning_private.apply_exact_settings is
    'Sets how this transaction writes values, so that their text is exact and the same in every session, and returns '
    'the former settings. SET clauses of the trigger function would cost each statement 10 µs, although nearly all '
    'sessions have these settings anyway.';

create or replace function versioning_private.reorder_versions(table_id integer, first bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    entity text;
begin
    for entity in
        select distinct r.key
        from versioning.records r
        where r.id > first and r.transaction = versioning.transaction() and r.table_id = reorder_versions.table_id
    loop
        perform versioning_private.reorder_entity(table_id, entity);
    end loop;
end;
$$;

comment on function versioning_private.reorder_versions is
    'Reorders the versions of entities that a statement recorded with ids above `first`. A statement''s versions are '
    'recorded when it ends. If a trigger changes a row again meanwhile, the inner statement ends first, and its '
    'version would come before the one that it followed. Inner statements set versioning.nested; the outer one then '
    'calls this.';

create or replace function versioning_private.reorder_entity(table_id integer, key text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    ids bigint[];
    befores text[];
    afters text[];
    state text;
    next integer;
    moving boolean := false;
begin
    -- Empty text means no row: the text of values is in brackets.
    select
        array_agg(r.id order by r.id),
        array_agg(coalesce(versioning._before(r, l)::text, '') order by r.id),
        array_agg(coalesce(versioning._after(r, l)::text, '') order by r.id)
    into ids, befores, afters
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = reorder_entity.table_id and r.key = reorder_entity.key and r.transaction = versioning.transaction();
    select versioning._after(r, l)::text into state
    from versioning.records r
    join versioning.layouts l on l.id = r.layout_id
    where r.table_id = reorder_entity.table_id and r.key = reorder_entity.key and r.id < ids[1]
    order by r.id desc
    limit 1;
    state := coalesce(state, '');
    while cardinality(ids) > 0 loop
        next := coalesce(array_position(befores, state), 1);
        state := afters[next];
        -- After the first version that moves, all get new ids in the order in which they are found.
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

comment on function versioning_private.reorder_entity is
    'Reorders this transaction''s versions of one entity: each follows the one that left what it found. Where none '
    'fits, the order of ids remains.';

create or replace function versioning_private.current_statement(table_id integer, event text, relation regclass)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    layout versioning.layouts := versioning_private.current_layout(table_id, versioning._relation(table_id));
begin
    if layout.id is null then
        raise warning 'Changes of table "%" are not recorded: it has no primary key', relation
            using hint = format('Add a primary key, or end its history: select versioning.untrack(%L)', relation);
        return 'select';
    end if;
    if event = 'TRUNCATE' then
        perform versioning_private.require_safe_read(relation, 'truncate', 'Delete the rows instead.');
    end if;
    return versioning_private.recording_statement(table_id, relation, layout, event);
end;
$$;

comment on function versioning_private.current_statement is
    'Returns recording_statement() for the present columns of a table: for a table that was altered after its '
    'trigger function was made, and for TRUNCATE.';

create or replace function versioning_private.trigger_body(table_id integer, relation regclass, layout versioning.layouts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        $body$
declare
    -- This statement runs inside another one, or others ran inside it.
    nested boolean;
    first bigint;
    -- The settings of the session, while the exact ones apply.
    own text[];
    -- Usually neither applies, and one test costs less than three.
    special boolean := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on' or %3$s;
begin
    if special then
        nested := pg_trigger_depth() > 1 or current_setting('versioning.nested', true) = 'on';
        if nested then
            first := nextval('versioning.records_id_seq');
        end if;
        own := versioning_private.apply_exact_settings();
    end if;
    -- Both are evaluated when this expression is planned, and again after the table is altered.
    if not versioning_private.is_current_at_plan_time(%1$s, %2$s)
        or coalesce(tg_relid, versioning_private.relation_at_plan_time(%1$s)) is null
    then
        own := coalesce(own, versioning_private.apply_exact_settings());
        special := true;
        execute versioning_private.current_statement(%1$s, tg_op, tg_relid);
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
        execute versioning_private.current_statement(%1$s, tg_op, tg_relid);
    end if;
    if special then
        perform versioning_private.apply_settings(own);
        if nested then
            perform versioning_private.reorder_versions(%1$s, first);
            perform set_config('versioning.nested', 'on', true);
        end if;
    end if;
    return null;
end;
$body$,
        table_id,
        layout.id,
        coalesce(versioning_private.differs_from_exact_settings(relation, layout), 'false'),
        versioning_private.recording_statement(table_id, relation, layout, 'INSERT'),
        versioning_private.recording_statement(table_id, relation, layout, 'UPDATE ONE'),
        versioning_private.recording_statement(table_id, relation, layout, 'UPDATE'),
        versioning_private.recording_statement(table_id, relation, layout, 'DELETE')
    );
$$;

comment on function versioning_private.trigger_body is
    'Returns the body of the trigger function of a table: all that its statements pay for, which is a look at the '
    'session''s settings and an INSERT.';

create or replace function versioning_private.define_trigger_function(table_id integer, relation regclass, layout versioning.layouts)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    name text := '_record_' || table_id;
    body text := versioning_private.trigger_body(table_id, relation, layout);
begin
    if exists (select from pg_catalog.pg_proc p where p.oid = to_regproc('versioning.' || name) and p.prosrc = body) then
        return false;
    end if;
    execute format(
        'create or replace function versioning.%I() returns trigger language plpgsql '
        -- Those who may write to the table must not be able to write its history.
        'security definer '
        'set search_path = pg_catalog, pg_temp as %L',
        name, body
    );
    execute format('revoke all on function versioning.%I from public', name);
    execute format('comment on function versioning.%I is %L', name, 'Records changes of ' || relation || '. Created by versioning.track().');
    return true;
end;
$$;

comment on function versioning_private.define_trigger_function is
    'Creates or replaces the trigger function of a table. Returns false if it is up to date.';

create or replace function versioning_private.attach_triggers(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    member regclass;
    event record;
    began boolean := versioning._relation(table_id) is null;
begin
    for member in
        -- The table itself first: _relation() relies on the age of the triggers.
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

comment on function versioning_private.attach_triggers is
    'Creates the missing triggers on a table and its partitions, because a statement fires the triggers of the table '
    'that it names. Returns whether the table had none.';

create or replace function versioning_private.detach_triggers(table_id integer, relation regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    stray record;
    found_one boolean := false;
begin
    for stray in
        select t.tgname, t.tgrelid::regclass as relation
        from pg_catalog.pg_trigger t
        where t.tgfoid = to_regproc('versioning._record_' || table_id)
            and t.tgrelid <> detach_triggers.relation
            and t.tgrelid not in (select p.relid from pg_catalog.pg_partition_tree(detach_triggers.relation) p)
    loop
        execute format('drop trigger %I on %s', stray.tgname, stray.relation);
        found_one := true;
    end loop;
    return found_one;
end;
$$;

comment on function versioning_private.detach_triggers is
    'Drops the triggers of partitions that were detached. Returns whether there were any.';

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

create or replace function versioning_private.follow_renames()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update versioning.tables t set tracked = false where t.tracked and versioning._relation(t.id) is null;
    update versioning.tables t
    set schema_name = c.relnamespace::regnamespace::name, table_name = c.relname
    from pg_catalog.pg_class c
    where t.tracked
        and c.oid = versioning._relation(t.id)
        and (t.schema_name, t.table_name) is distinct from (c.relnamespace::regnamespace::name, c.relname);
$$;

comment on function versioning_private.follow_renames is
    'Updates the names of tracked tables in versioning.tables. A dropped table is no longer tracked.';

create or replace function versioning.refresh()
returns setof regclass
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    table_ versioning.tables;
    relation regclass;
    layout versioning.layouts;
    changed boolean;
begin
    perform versioning_private.follow_renames();
    for table_ in select t.* from versioning.tables t where t.tracked order by t.id loop
        relation := versioning._relation(table_.id);
        layout := versioning_private.current_layout(table_.id, relation);
        if layout.id is null then
            perform versioning_private.current_statement(table_.id, 'INSERT', relation);
            continue;
        end if;
        changed := versioning_private.define_trigger_function(table_.id, relation, layout);
        if exists (
            select from pg_catalog.pg_partition_tree(relation) p
            where not exists (
                select from pg_catalog.pg_trigger t
                where t.tgrelid = p.relid and t.tgfoid = to_regproc('versioning._record_' || table_.id)
            )
        ) then
            perform versioning_private.attach_triggers(table_.id, relation);
            changed := true;
        end if;
        if versioning_private.detach_triggers(table_.id, relation) then
            changed := true;
        end if;
        if changed then
            return next relation;
        end if;
    end loop;
end;
$$;

comment on function versioning.refresh is
    'Follows changes of tracked tables; call it at the end of a migration. Replaces the trigger functions of altered '
    'tables, creates the triggers of new partitions and drops those of detached ones. Without it, changes of an '
    'altered table are recorded at a higher cost, but statements that name a new partition itself are not. The '
    'nightly job calls it too. Returns the tables that had changed.';

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

create or replace function versioning._undo_one(version bigint, if_changed text)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
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

comment on function versioning._undo_one is
    'Restores the row of a version to what it was before the transaction of that version, which must be its last one '
    'there. Returns null if the row did not exist before or after.';

create or replace function versioning.undo(transaction bigint, if_changed text default 'refuse')
returns setof jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    id bigint;
    ids bigint[];
    waiting bigint[];
    done jsonb;
    refusal text;
    refused_as text;
begin
    -- The last version in the transaction stands for its entity.
    ids := array(
        select max(r.id) from versioning.records r
        where r.transaction = undo.transaction and r.operation <> 'baseline'
        group by r.table_id, r.key
        order by 1 desc
    );
    if cardinality(ids) = 0 then
        raise exception 'Transaction % has no versions or you may not read them', transaction
            using errcode = 'no_data_found',
                hint = 'Find the number in the column `transaction` of versioning.history.';
    end if;
    set constraints all deferred;
    -- Last changed first, as foreign and unique keys usually need. A row that one refuses waits for the others.
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
            raise exception 'Cannot undo transaction %: %', transaction, refusal
                using errcode = refused_as, hint = 'First restore or delete the rows that this message names.';
        end if;
        ids := waiting;
    end loop;
end;
$$;

comment on function versioning.undo is
    'Restores all tracked rows that a transaction changed to what they were before it, all or none. `if_changed` '
    'decides about rows that have changed since: refuse, merge or overwrite. It is a transaction itself and can be '
    'undone. Example: select * from versioning.undo(876233123456)';

create or replace function versioning.prune(relation regclass default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
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
        -- Prune removes the oldest versions of an entity. The first one that stays stores its number; later ones count
        -- from there.
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

comment on function versioning.prune is
    'Removes old versions as the options of the tables, or of one table, say: those beyond keep_versions of an '
    'entity, and those replaced more than keep_for ago. The newest version of an entity always stays, and so does '
    'the one that was current keep_for ago. Returns the number of versions removed.';

create or replace function versioning.upkeep()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform versioning.refresh();
    perform versioning.prune();
end;
$$;

comment on function versioning.upkeep is 'Calls refresh() and prune(), as the nightly job does.';

create or replace function versioning_private.has_cron()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron');
$$;

comment on function versioning_private.has_cron is
    'Returns whether pg_cron is installed. Without the extension, a schema named cron may be any role''s.';

create or replace function versioning.schedule(schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    if not versioning_private.has_cron() then
        raise exception 'Cannot schedule the upkeep: pg_cron is not installed'
            using errcode = 'feature_not_supported',
                hint = 'Enable pg_cron under Integrations in the dashboard, or call versioning.upkeep() by other means.';
    end if;
    job := cron.schedule('versioning-upkeep', btrim(schedule, ' '), 'select versioning.upkeep()');
    -- Jobs of a restored database are inactive, and cron.schedule() leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

comment on function versioning.schedule is
    'Schedules versioning.upkeep() with pg_cron (UTC) and returns the number of the job. Example: select '
    'versioning.schedule(''45 3 * * *'')';

create or replace function versioning.unschedule()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    if not versioning_private.has_cron() then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = 'versioning-upkeep' and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

comment on function versioning.unschedule is
    'Removes the job that versioning.schedule() made. Returns false if there is none.';

create or replace function versioning_private.ensure_schedule()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not versioning_private.has_cron() then
        raise warning 'Old versions are not removed automatically: pg_cron is not installed'
            using hint = 'Install it, then run: select versioning.schedule(''45 3 * * *'')';
    elsif not exists (select from cron.job where jobname = 'versioning-upkeep') then
        perform versioning.schedule('45 3 * * *');
    end if;
end;
$$;

comment on function versioning_private.ensure_schedule is
    'Schedules the upkeep for 03:45 UTC every night, unless there is a job already or no pg_cron.';

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

comment on view versioning.sizes is
    'How much history each table has. Reading it takes a minute or so for millions of versions.';
comment on column versioning.sizes.schema_name is 'Schema of the table.';
comment on column versioning.sizes.table_name is 'Name of the table.';
comment on column versioning.sizes.tracked is 'Whether the table is tracked now.';
comment on column versioning.sizes.versions is 'Number of versions.';
comment on column versioning.sizes.entities is 'Number of rows that have versions.';
comment on column versioning.sizes.bytes is 'Bytes of the versions, without indexes.';
comment on column versioning.sizes.oldest is 'Time of the oldest version.';
comment on column versioning.sizes.newest is 'Time of the newest version.';

-- Who may do what with the schema versioning. Its owner may do everything. The roles of the API read histories, as row
-- level security lets them, and call what is listed here; only trigger functions write. The functions whose names begin
-- with `_` are called by the others with the caller's rights. New objects are closed until they are named here.
revoke all on schema versioning, versioning_private from public, anon, authenticated, service_role;
revoke all on all tables in schema versioning from public, anon, authenticated, service_role;
revoke all on all sequences in schema versioning from public, anon, authenticated, service_role;
revoke all on all functions in schema versioning, versioning_private from public, anon, authenticated, service_role;

grant usage on schema versioning to anon, authenticated, service_role;
grant select on
    versioning.history,
    versioning.layouts,
    versioning.records,
    versioning.settings,
    versioning.tables,
    versioning._foreign_functions,
    versioning._key_columns
to anon, authenticated, service_role;
grant select on versioning.sizes to service_role;
grant execute on function
    versioning.as_of,
    versioning.because,
    versioning.diff,
    versioning.restore,
    versioning.rows_as_of,
    versioning.summary,
    versioning.transaction,
    versioning.undo,
    versioning.versions,
    versioning._added,
    versioning._after,
    versioning._base_type,
    versioning._before,
    versioning._begin_restoring,
    versioning._by_key,
    versioning._changed,
    versioning._chosen,
    versioning._end_restoring,
    versioning._filled_list,
    versioning._find,
    versioning._fit,
    versioning._is_editor,
    versioning._is_trusted,
    versioning._json,
    versioning._json_of,
    versioning._json_of_row,
    versioning._key,
    versioning._key_text,
    versioning._key_values,
    versioning._may_select,
    versioning._named,
    versioning._newest_layout,
    versioning._number_of,
    versioning._object,
    versioning._place,
    versioning._present,
    versioning._put_back,
    versioning._readable,
    versioning._record,
    versioning._recorded,
    versioning._relation,
    versioning._require,
    versioning._require_place,
    versioning._require_safe_types,
    versioning._require_shape,
    versioning._require_unpruned,
    versioning._row,
    versioning._same,
    versioning._select_list,
    versioning._shape,
    versioning._short,
    versioning._states,
    versioning._text_of,
    versioning._undo_one,
    versioning._value_of,
    versioning._values,
    versioning._whole,
    versioning._whole_row
to anon, authenticated, service_role;
grant execute on function versioning.configure to service_role;

do $$
declare
    keyless text;
    stale regprocedure;
begin
    -- Replaces the trigger functions that an earlier version of this schema made.
    perform versioning.refresh();
    -- refresh() leaves out tables without primary key. Theirs wait for one.
    for keyless in
        select p.oid::regprocedure
        from versioning.tables t
        join pg_catalog.pg_proc p on p.oid = to_regproc('versioning._record_' || t.id)
        where (versioning._shape(t.id, versioning._relation(t.id))).key_count = 0
    loop
        execute format(
            'create or replace function %1$s returns trigger language plpgsql security definer '
            'set search_path = pg_catalog, pg_temp as %2$L',
            keyless,
            format(
                'declare own text[] := versioning_private.apply_exact_settings(); begin '
                'execute versioning_private.current_statement(%s, tg_op, tg_relid); '
                'perform versioning_private.apply_settings(own); return null; end',
                substring(keyless from '[0-9]+')
            )
        );
    end loop;
    -- Drops functions of an earlier version: private ones that grants.sql does not name.
    for stale in
        select p.oid
        from pg_catalog.pg_proc p
        where p.pronamespace = 'versioning'::regnamespace and p.proname ~ '^_' and p.proname !~ '^_record_[0-9]+$'
            and not has_function_privilege('service_role', p.oid, 'execute')
    loop
        execute format('drop function %s', stale);
    end loop;
end;
$$;
