create or replace function backup._set_pinned(name text, pinned boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set pinned = _set_pinned.pinned
    where l.name = _set_pinned.name and l.status = 'succeeded' and l.removed_at is null;
    if not found then
        raise exception 'Backup "%" is not stored', name
            using errcode = 'no_data_found',
                hint = 'See the stored backups with: select name from backup.log where status = ''succeeded'' and removed_at is null';
    end if;
end;
$$;

comment on function backup._set_pinned is 'Sets whether rotation may remove a stored backup.';

create or replace function backup.pin(name text)
returns void
language sql
-- service_role may pin, but not write the log.
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._set_pinned(name, true);
$$;

comment on function backup.pin is
    'Keeps a stored backup: rotation never removes it. Example: select backup.pin(''backup-20261122-030000'')';

create or replace function backup.unpin(name text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._set_pinned(name, false);
$$;

comment on function backup.unpin is 'Lets rotation remove a backup that was pinned.';
