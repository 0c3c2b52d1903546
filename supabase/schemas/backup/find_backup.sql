create or replace function backup._find_backup(wanted text)
returns backup.log
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log;
begin
    select l.* into run
    from backup._stored_backups() with ordinality b (id, name, started_at, whole, place)
    join backup.log l on l.id = b.id
    where case when wanted in ('latest', 'oldest') then b.whole is not false else l.name = wanted end
    order by case when wanted = 'oldest' then -b.place else b.place end
    limit 1;
    if not found then
        raise exception 'Backup "%" is not stored', wanted
            using errcode = 'no_data_found', hint = 'See the stored ones with: select distinct backup from backup.contents';
    elsif run.settings ->> 'recipient' is not null then
        raise exception 'Backup "%" is encrypted, and the project does not have the key', run.name
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('On a machine with the key, run: supabase-backup restore --backup %s --identity KEYFILE', run.name);
    end if;
    return run;
end;
$$;

comment on function backup._find_backup is
    'Returns the run of a stored backup: latest, oldest (complete ones), or by name. Raises an error for one that is not '
    'there or encrypted.';

create or replace function backup._find_table(run_id bigint, wanted text, out schema text, out name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    dot integer := strpos(wanted, '.');
    like_it text;
begin
    schema := case when dot = 0 then 'public' else left(wanted, dot - 1) end;
    name := substr(wanted, dot + 1);
    -- A partitioned table has its rows in its partitions, which the function finds in the archive.
    if exists (
        select from backup.table_rows t
        where t.run_id = _find_table.run_id and t.schema = _find_table.schema
            and (t.name = _find_table.name or starts_with(t.name, _find_table.name || '_'))
    ) or exists (
        select
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = _find_table.schema and c.relname = _find_table.name and c.relkind = 'p'
    ) then
        return;
    end if;
    select string_agg(format('%s.%s', t.schema, t.name), ', ' order by t.schema, t.name) into like_it
    from (
        select t.schema, t.name
        from backup.table_rows t
        where t.run_id = _find_table.run_id and (t.schema = _find_table.schema or t.name = _find_table.name)
        order by t.schema, t.name
        limit 20
    ) t;
    raise exception 'The backup has no table "%.%"', schema, name
        using errcode = 'undefined_table', hint = coalesce('It has ' || like_it || '.', 'Names are schema.table, not quoted.');
end;
$$;

comment on function backup._find_table is
    'Returns schema and name of a table of a backup, from schema.table, not quoted. Raises an error for one that it does '
    'not have.';
