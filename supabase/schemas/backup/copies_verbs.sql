-- The verbs of an invocation that copies. Each is a statement of its own on its session.

-- Is this token good for copying? It is used up.
create or replace function backup._redeem_copy(token text)
returns boolean
language sql
set search_path = ''
as $$
    with used as (
        update backup.copy_calls c
        set used_at = clock_timestamp()
        where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is null and c.expires_at > clock_timestamp()
        returning c.hash
    )
    select exists (select from used);
$$;

revoke all on function backup._redeem_copy from public;
comment on function backup._redeem_copy is 'Is this token good for copying? It is used up.';

-- Takes the turn to copy; the settings that it works with, or null when another has it, or nothing is to be copied.
create or replace function backup._enter_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtext('backup.copies'));
    perform pg_catalog.pg_stat_clear_snapshot();
    if backup._live_copier() is not null then
        return null;
    end if;
    -- One that ended without a word, as one does that used up its CPU or memory: what it was at waits, and is told when that happens again and again.
    update backup.copies c
    set failures = c.failures + 1,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._copy_wait(c.failures),
        error = jsonb_build_object(
            'code', 'worker_died',
            'message', 'the invocation that copied ended without a word',
            'hint', 'See the logs of the function for limits of CPU, memory or time that it reached.'
        )
    from backup.copiers died
    where died.left_at is null and c.run_id = died.run_id;
    delete from backup.copiers;
    if not exists (select from backup._copy_tasks()) then
        return null;
    end if;
    insert into backup.copiers (id, backend_pid, backend_start, lease_until)
    select copier, a.pid, a.backend_start, clock_timestamp() + interval '5 minutes'
    from pg_catalog.pg_stat_activity a
    where a.pid = pg_backend_pid();
    return backup._settings_of_attempt();
end;
$$;

revoke all on function backup._enter_copy from public;
comment on function backup._enter_copy is 'Takes the turn to copy, or null.';

-- Extends the turn; raises BK001 for one that has lost it.
create or replace function backup._require_copier(copier uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.copiers c
    set lease_until = clock_timestamp() + interval '5 minutes'
    where c.id = copier and c.left_at is null;
    if not found then
        raise exception 'copier % has lost its turn', copier
            using errcode = 'BK001', hint = 'Another invocation copies; this one stops.';
    end if;
end;
$$;

revoke all on function backup._require_copier from public;
comment on function backup._require_copier is 'Extends the turn to copy; raises BK001 for one that has lost it.';

-- The next task: {run_id, action, name, bucket, checksum, copied: [{name, bytes, sha256}]}; null when nothing is left, or a run has begun, which
-- goes first.
create or replace function backup._next_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    task record;
begin
    perform backup._require_copier(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    select t.run_id, t.action into task from backup._copy_tasks() t limit 1;
    if not found then
        return null;
    end if;
    -- One that was removed and is wanted again (its backup is in the log again) begins anew.
    delete from backup.copies c where c.run_id = task.run_id and c.removed_at is not null;
    insert into backup.copies (run_id) values (task.run_id) on conflict on constraint copies_pkey do nothing;
    update backup.copiers c set run_id = task.run_id where c.id = copier;
    return (
        select jsonb_build_object(
            'run_id', l.id,
            'action', task.action,
            'name', l.name,
            'bucket', l.settings ->> 'bucket',
            'checksum', l.checksum,
            'copied', coalesce((
                select jsonb_agg(jsonb_build_object('name', c.name, 'bytes', c.bytes, 'sha256', c.sha256) order by c.name)
                from backup.copied c
                where c.run_id = l.id
            ), '[]')
        )
        from backup.log l
        where l.id = task.run_id
    );
end;
$$;

revoke all on function backup._next_copy from public;
comment on function backup._next_copy is 'The next thing to copy, remove or check.';

-- This object has arrived. May be repeated.
create or replace function backup._copied(copier uuid, run_id bigint, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    insert into backup.copied as c (run_id, name, bytes, sha256)
    values (_copied.run_id, _copied.name, _copied.bytes, _copied.sha256)
    on conflict on constraint copied_pkey do update
    set bytes = excluded.bytes, sha256 = excluded.sha256, copied_at = excluded.copied_at;
end;
$$;

revoke all on function backup._copied from public;
comment on function backup._copied is 'This object has arrived.';

-- All objects that were copied have been looked up there. `missing` are those that are not as they should be: they are copied again.
create or replace function backup._copy_checked(copier uuid, run_id bigint, missing text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    delete from backup.copied c where c.run_id = _copy_checked.run_id and c.name = any (missing);
    update backup.copies c
    set verified_at = case when cardinality(missing) = 0 then coalesce(c.verified_at, clock_timestamp()) end,
        checked_at = clock_timestamp(),
        objects = found.objects,
        bytes = found.bytes,
        failures = 0,
        failed_at = null,
        retry_at = null,
        error = null
    from (
        select count(*) as objects, coalesce(sum(o.bytes), 0) as bytes from backup.copied o where o.run_id = _copy_checked.run_id
    ) found
    where c.run_id = _copy_checked.run_id;
end;
$$;

revoke all on function backup._copy_checked from public;
comment on function backup._copy_checked is 'The objects of a copy were looked up.';

-- The copy is gone there, after its backup went here. The row stays, as the log's does.
create or replace function backup._copy_removed(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    delete from backup.copied c where c.run_id = _copy_removed.run_id;
    update backup.copies c
    set removed_at = clock_timestamp(), failures = 0, failed_at = null, retry_at = null, error = null
    where c.run_id = _copy_removed.run_id;
end;
$$;

revoke all on function backup._copy_removed from public;
comment on function backup._copy_removed is 'A copy was removed.';

-- How long a copy waits after so many failures and this one.
create or replace function backup._copy_wait(failures integer)
returns interval
language sql
immutable
set search_path = ''
as $$
    select case when failures >= 6 then interval '20 hours' else interval '1 minute' * 2 ^ failures end;
$$;

revoke all on function backup._copy_wait from public;
comment on function backup._copy_wait is 'How long a copy waits after a failure.';

-- Something went wrong with this copy: it is tried again after 1, 2, 4 … minutes, and from the seventh time on once a day. With `final`, because trying again
-- soon would give the same answer, only then.
create or replace function backup._copy_failed(copier uuid, run_id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_copier(copier);
    update backup.copies c
    set failures = case when final then greatest(7, c.failures + 1) else c.failures + 1 end,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._copy_wait(case when final then 6 else c.failures end),
        error = _copy_failed.error
    where c.run_id = _copy_failed.run_id;
end;
$$;

revoke all on function backup._copy_failed from public;
comment on function backup._copy_failed is 'Something went wrong with a copy: it is tried again later.';

-- The invocation ends; while something is left, the next one is called.
create or replace function backup._leave_copy(copier uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.copiers c set left_at = clock_timestamp() where c.id = copier;
    perform backup.watch_copies();
end;
$$;

revoke all on function backup._leave_copy from public;
comment on function backup._leave_copy is 'An invocation that copied ends.';
