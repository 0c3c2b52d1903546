create or replace function backup._set_pinned(name text, pinned boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set pinned = _set_pinned.pinned
    where l.name = _set_pinned.name and l.status = 'succeeded' and l.removed_at is null;
    if not found then
        raise exception 'there is no stored backup "%"', name
            using errcode = 'no_data_found',
                hint = 'select name from backup.log where status = ''succeeded'' and removed_at is null';
    end if;
end;
$$;

revoke all on function backup._set_pinned from public;
comment on function backup._set_pinned is 'Sets whether rotation may take a stored backup.';

-- Keeps a stored backup for good: rotation never removes it. Example: select backup.pin('backup-20261122-030000');
create or replace function backup.pin(name text)
returns void
language sql
-- service_role may pin, but not write the log.
security definer
set search_path = ''
as $$
    select backup._set_pinned(name, true);
$$;

revoke all on function backup.pin from public;
grant execute on function backup.pin to service_role;
comment on function backup.pin is 'Keeps a backup for good.';

-- Gives a backup back to rotation.
create or replace function backup.unpin(name text)
returns void
language sql
security definer
set search_path = ''
as $$
    select backup._set_pinned(name, false);
$$;

revoke all on function backup.unpin from public;
grant execute on function backup.unpin to service_role;
comment on function backup.unpin is 'Gives a backup back to rotation.';
