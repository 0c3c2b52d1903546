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
