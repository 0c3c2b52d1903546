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
