-- The verbs of an invocation that copies.

create or replace function backup._register_copier(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_work();
    -- The worker before exited unexpectedly, as one does that used up its CPU or memory: its copy waits, and health
    -- reports repeated failures.
    update backup.copies c
    set failures = c.failures + 1,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._retry_delay(c.failures),
        error = jsonb_build_object(
            'code', 'worker_died',
            'message', 'The invocation that copied exited unexpectedly',
            'hint', 'Check the logs of the function for limits of CPU, memory or time.'
        )
    from backup.workers died
    where died.purpose = 'copy' and died.left_at is null and c.run_id = died.run_id
        and not exists (select from backup.live_workers live where live.id = died.id and live.working);
    delete from backup.workers w
    where w.purpose = 'copy' and not exists (select from backup.live_workers live where live.id = w.id and live.working);
    if not exists (select from backup._copy_tasks()) or not backup._take_turn('copy', copier) then
        return null;
    end if;
    return backup._settings_of_attempt();
end;
$$;

comment on function backup._register_copier is
    'Takes the turn to copy and returns the settings; null when another worker has it or nothing is to be copied.';

create or replace function backup._next_copy(copier uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    task record;
begin
    perform backup._require_turn(copier);
    if exists (select from backup.log l where l.finished_at is null) then
        return null;
    end if;
    select t.run_id, t.action into task from backup._copy_tasks() t limit 1;
    if not found then
        return null;
    end if;
    -- A removed copy whose backup is in the log again begins anew.
    delete from backup.copies c where c.run_id = task.run_id and c.removed_at is not null;
    insert into backup.copies (run_id) values (task.run_id) on conflict on constraint copies_pkey do nothing;
    update backup.workers w set run_id = task.run_id where w.id = copier;
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

comment on function backup._next_copy is
    'Returns the next task of the second copy {run_id, action, name, bucket, checksum, copied: [{name, bytes, '
    'sha256}]}; null when nothing is left, or a run is active, which goes first.';

create or replace function backup._record_copied_object(copier uuid, run_id bigint, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    insert into backup.copied as c (run_id, name, bytes, sha256)
    values (_record_copied_object.run_id, _record_copied_object.name, _record_copied_object.bytes, _record_copied_object.sha256)
    on conflict on constraint copied_pkey do update
    set bytes = excluded.bytes, sha256 = excluded.sha256, copied_at = excluded.copied_at;
end;
$$;

comment on function backup._record_copied_object is 'Records that an object of a backup was copied. May be repeated.';

create or replace function backup._record_copy_check(copier uuid, run_id bigint, missing text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied c where c.run_id = _record_copy_check.run_id and c.name = any (missing);
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
        select count(*) as objects, coalesce(sum(o.bytes), 0) as bytes from backup.copied o where o.run_id = _record_copy_check.run_id
    ) found
    where c.run_id = _record_copy_check.run_id;
end;
$$;

comment on function backup._record_copy_check is
    'Records that all objects of a copy were checked in the second bucket. Those in missing are copied again.';

create or replace function backup._mark_copy_removed(copier uuid, run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    delete from backup.copied c where c.run_id = _mark_copy_removed.run_id;
    update backup.copies c
    set removed_at = clock_timestamp(), failures = 0, failed_at = null, retry_at = null, error = null
    where c.run_id = _mark_copy_removed.run_id;
end;
$$;

comment on function backup._mark_copy_removed is
    'Records that a copy was removed from the second bucket. Its row stays.';

create or replace function backup._retry_delay(failures integer)
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when failures >= 6 then interval '20 hours' else interval '1 minute' * 2 ^ failures end;
$$;

comment on function backup._retry_delay is 'Returns how long a copy waits after this many failures and one more.';

create or replace function backup._record_copy_failure(copier uuid, run_id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(copier);
    update backup.copies c
    set failures = case when final then greatest(7, c.failures + 1) else c.failures + 1 end,
        failed_at = clock_timestamp(),
        retry_at = clock_timestamp() + backup._retry_delay(case when final then 6 else c.failures end),
        error = _record_copy_failure.error
    where c.run_id = _record_copy_failure.run_id;
end;
$$;

comment on function backup._record_copy_failure is
    'Records a failure: the copy is tried again after 1, 2, 4 … minutes, and from the seventh time on once a day.'
    ' With final, because trying again soon would fail the same way, only then.';

create or replace function backup._release_copier(copier uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_starts();
    update backup.workers w set left_at = clock_timestamp() where w.id = copier;
    perform backup._reconcile();
end;
$$;

comment on function backup._release_copier is
    'Ends the turn to copy, and calls the next worker while something is left.';
