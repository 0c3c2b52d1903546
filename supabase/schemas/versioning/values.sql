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
