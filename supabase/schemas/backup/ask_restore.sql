create or replace function backup._make_side_schema(wanted text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    base constant text := 'restored_' || to_char(now() at time zone 'UTC', 'YYYYMMDD');
    chosen text := coalesce(wanted, base);
    other record;
begin
    for number in 2 .. 1000 loop
        exit when wanted is not null or to_regnamespace(quote_ident(chosen)) is null;
        chosen := base || '_' || number;
    end loop;
    if to_regnamespace(quote_ident(chosen)) is not null then
        -- What an earlier restore made may take more; all else belongs to somebody.
        if exists (
            select
            from backup.restores r
            join pg_namespace n on n.nspname = r.into_schema
            where r.into_schema = chosen and pg_get_userbyid(n.nspowner) = current_user
        ) then
            return chosen;
        end if;
        raise exception 'Cannot restore into the schema "%": it exists', chosen
            using errcode = 'duplicate_schema', hint = 'Name a schema that does not exist: copies land beside, and nothing is overwritten.';
    end if;
    execute format('create schema %I', chosen);
    -- Default privileges may have opened it.
    for other in
        select distinct a.grantee::regrole as role
        from pg_namespace n, aclexplode(n.nspacl) a
        where n.nspname = chosen and a.grantee <> n.nspowner and a.grantee <> 0
    loop
        execute format('revoke all on schema %I from %s', chosen, other.role);
    end loop;
    execute format('revoke all on schema %I from public', chosen);
    return chosen;
end;
$$;

comment on function backup._make_side_schema is
    'Creates the schema for copies, which only its owner can look into, and returns its name: the one wanted, or '
    'restored_YYYYMMDD with a number where that exists. One of an earlier restore is used again when it is wanted.';

create or replace function backup._ask_restore(kind text, subject text, backup text, keys text[] default null, into_schema text default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    asked bigint;
begin
    perform backup._require_function();
    insert into backup.restores as r (kind, backup, subject, keys, into_schema)
    values (
        _ask_restore.kind, _ask_restore.backup, _ask_restore.subject, _ask_restore.keys,
        case when _ask_restore.kind <> 'drill' then backup._make_side_schema(_ask_restore.into_schema) end
    )
    returning r.id into asked;
    perform backup.watch();
    return asked;
end;
$$;

comment on function backup._ask_restore is 'Records a restore and calls the function; returns its number.';

create or replace function backup.restore_table(
    table_name text, backup text default 'latest', into_schema text default null, where_key text[] default null
)
returns bigint
language plpgsql
-- service_role may ask for copies, but not create schemas.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._find_backup(backup);
    place record;
begin
    if cardinality(where_key) = 0 or cardinality(where_key) > 10000 or array_position(where_key, null) is not null then
        raise exception 'Invalid keys: there are none, more than 10000, or one is null'
            using errcode = 'invalid_parameter_value',
                hint = 'Give primary keys as text: array[''17'', ''18'']; of several columns as JSON: array[''["17", "DE"]''].';
    end if;
    select f.schema, f.name into place from backup._find_table(run.id, table_name) f;
    return backup._ask_restore(
        case when where_key is null then 'table' else 'rows' end, place.schema || '.' || place.name, run.name, where_key, into_schema
    );
end;
$$;

comment on function backup.restore_table is
    'Restores a table of a backup beside the living one, into the schema restored_YYYYMMDD or the one named, and returns '
    'the number of the restore in backup.restores. Nothing that exists is changed. Example: '
    'select backup.restore_table(''public.orders'')';

create or replace function backup.restore_rows(table_name text, keys text[], backup text default 'latest', into_schema text default null)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return backup.restore_table(table_name, backup, into_schema, coalesce(keys, '{}'));
end;
$$;

comment on function backup.restore_rows is
    'Restores the rows with these primary keys, as backup.restore_table() does. Example: '
    'select backup.restore_rows(''public.orders'', array[''17'', ''18''])';

create or replace function backup.restore_schema(schema text default 'public', backup text default 'latest', into_schema text default null)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._find_backup(backup);
begin
    if not exists (select from backup.table_rows t where t.run_id = run.id and t.schema = restore_schema.schema) then
        raise exception 'The backup has no tables in a schema "%"', schema
            using errcode = 'invalid_schema_name',
                hint = 'See them with: select distinct schema from backup.contents';
    end if;
    return backup._ask_restore('schema', schema, run.name, null, into_schema);
end;
$$;

comment on function backup.restore_schema is
    'Restores all tables of a schema of a backup, as backup.restore_table() does. Example: '
    'select backup.restore_schema(''public'', backup => ''backup-20261122-030000'')';

create or replace function backup.cancel_restore(id bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked backup.restores;
begin
    select r.* into asked from backup.restores r where r.id = cancel_restore.id for update;
    if not found then
        raise exception 'Restore % does not exist', id
            using errcode = 'no_data_found', hint = 'See all with: select * from backup.restores';
    elsif asked.kind = 'command' or asked.status not in ('queued', 'running') then
        return false;
    elsif asked.status = 'queued' then
        perform backup._end_restore(asked.id, 'cancelled', null);
        return true;
    end if;
    -- The function removes what it has made.
    update backup.restores r set status = 'cancelling', retry_at = null, progressed_at = clock_timestamp() where r.id = asked.id;
    perform backup.watch();
    return true;
end;
$$;

comment on function backup.cancel_restore is
    'Cancels a restore or a drill that the project makes itself; returns false when it had ended before. What it made is '
    'removed.';
