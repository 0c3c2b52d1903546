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
