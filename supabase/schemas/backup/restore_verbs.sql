-- The verbs of an invocation that looks into backups, restores tables beside the living ones, or drills.
-- One file because they are the states of one machine, which are read together.

create or replace function backup._restore_tasks()
returns table (action text, id bigint)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select t.action, t.id
    from (
        select 0 as rank, 'peek', p.id
        from backup.peeks p
        where p.answered_at is null and p.asked_at > clock_timestamp() - interval '10 minutes'
        union all
        select
            case when r.status = 'cancelling' then 1 when r.kind = 'drill' then 3 else 2 end,
            case when r.status = 'cancelling' then 'remove' when r.kind = 'drill' then 'drill' else 'restore' end,
            r.id
        from backup.restores r
        where r.finished_at is null
            and (r.retry_at is null or r.retry_at <= clock_timestamp())
            -- A drill gives way to a backup.
            and (r.kind <> 'drill' or r.status = 'cancelling' or not exists (select from backup.log l where l.finished_at is null))
        union all
        -- What a drill that has ended, or died, has left behind.
        select 4, 'clean', 0
        from pg_roles o
        where o.rolname = 'scratch_of_backup_drill'
            and not exists (select from backup.restores r where r.kind = 'drill' and r.finished_at is null)
    ) t (rank, action, id)
    order by t.rank, t.id;
$$;

comment on function backup._restore_tasks is
    'Returns what is to be done now, most urgent first: peek at rows, remove what a cancelled restore made, restore beside, '
    'drill (not while a run is active), drop the scratch database of a drill that has ended.';

create or replace function backup._restores_pending()
returns setof bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select r.id from backup.restores r where r.finished_at is null
    union all
    select t.id from backup._restore_tasks() t where t.action in ('peek', 'clean');
$$;

comment on function backup._restores_pending is
    'Returns what backup.watch() keeps looking for: restores that have not ended, questions without an answer, and a scratch '
    'database that was left behind.';

create or replace function backup._register_restorer(worker uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    died backup.workers;
    why constant jsonb := jsonb_build_object(
        'code', 'worker_died',
        'message', 'The invocation exited unexpectedly',
        'hint', 'Check the logs of the function for limits of CPU, memory or time.'
    );
begin
    perform backup._lock_work();
    for died in
        delete from backup.workers w
        where w.purpose = 'restore' and not exists (select from backup.live_workers live where live.id = w.id and live.working)
        returning w.*
    loop
        if died.left_at is null then
            perform backup._count_restore_failure((died.progress ->> 'restore')::bigint, why, false);
            update backup.peeks p
            set answered_at = clock_timestamp(), error = why
            where p.id = (died.progress ->> 'peek')::bigint and p.answered_at is null;
        end if;
    end loop;
    if not exists (select from backup._restore_tasks()) or not backup._take_turn('restore', worker) then
        return null;
    end if;
    return backup._settings_of_attempt();
end;
$$;

comment on function backup._register_restorer is
    'Takes the turn to restore and returns the settings; null when another worker has it or nothing is to be done. Counts '
    'the failure of a worker that died.';

create or replace function backup._next_restore(worker uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    task record;
begin
    perform backup._require_turn(worker);
    select t.action, t.id into task from backup._restore_tasks() t limit 1;
    if not found then
        return null;
    end if;
    update backup.workers w
    set progress = jsonb_build_object(case task.action when 'peek' then 'peek' else 'restore' end, task.id)
    where w.id = worker;
    if task.action = 'clean' then
        return jsonb_build_object('action', task.action, 'id', 0);
    elsif task.action = 'peek' then
        return (
            select jsonb_build_object(
                'action', task.action, 'id', p.id, 'schema', p.schema, 'name', p.name, 'row_limit', p.row_limit, 'backup', p.backup,
                'bucket', l.settings ->> 'bucket', 'checksum', l.checksum
            )
            from backup.peeks p
            left join backup.log l on l.name = p.backup
            where p.id = task.id
        );
    end if;
    update backup.restores r
    set status = 'running', started_at = coalesce(r.started_at, clock_timestamp())
    where r.id = task.id and r.status = 'queued';
    return (
        select jsonb_build_object(
            'action', task.action, 'id', r.id, 'kind', r.kind, 'subject', r.subject, 'keys', r.keys, 'into_schema', r.into_schema, 'backup', r.backup,
            'state', r.state, 'rows', r.rows, 'raw_bytes', r.raw_bytes, 'exceptions', r.exceptions, 'bucket', l.settings ->> 'bucket', 'checksum', l.checksum
        )
        from backup.restores r
        left join backup.log l on l.name = r.backup
        where r.id = task.id
    );
end;
$$;

comment on function backup._next_restore is
    'Returns the next task {action, id, backup, bucket, checksum, …}: peek, remove, restore or drill; null when nothing is '
    'left.';

create or replace function backup._record_peek(worker uuid, id bigint, answer jsonb, error jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(worker);
    update backup.peeks p
    set answered_at = clock_timestamp(), found = _record_peek.answer, error = _record_peek.error
    where p.id = _record_peek.id and p.answered_at is null;
end;
$$;

comment on function backup._record_peek is 'Records the rows that were asked for, or why there are none.';

create or replace function backup._record_restored(
    worker uuid, id bigint, rows bigint, raw_bytes bigint, state jsonb, progress text, exceptions jsonb
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(worker);
    update backup.restores r
    set rows = _record_restored.rows,
        raw_bytes = _record_restored.raw_bytes,
        state = _record_restored.state,
        progress = _record_restored.progress,
        exceptions = _record_restored.exceptions,
        progressed_at = clock_timestamp(),
        failures = 0,
        retry_at = null
    where r.id = _record_restored.id and r.status = 'running';
    if not found then
        raise exception 'Restore % was cancelled', id
            using errcode = 'BK002', hint = 'No action is needed.';
    end if;
end;
$$;

comment on function backup._record_restored is
    'Records how far a restore has come, in the transaction that holds the rows. Raises BK002 when it was cancelled.';

create or replace function backup._drop_side_schema(name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from pg_namespace n
        where n.nspname = _drop_side_schema.name and pg_get_userbyid(n.nspowner) = current_user
            and not exists (select from pg_class c where c.relnamespace = n.oid)
    ) then
        return;
    end if;
    execute format('drop schema %I restrict', name);
exception
    -- Somebody has put something else into it.
    when dependent_objects_still_exist then
        return;
end;
$$;

comment on function backup._drop_side_schema is 'Drops the schema for copies where nothing is in it.';

create or replace function backup._remove_copies(restore backup.restores)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
-- Whoever reads a copy must not keep others waiting for the locks that are held here.
set lock_timeout = '5s'
as $$
declare
    place text;
begin
    for place in
        select format('%I.%I', restore.into_schema, t.place ->> 1)
        from jsonb_array_elements(restore.state -> 'tables') with ordinality t (place, number)
        where t.number <= (restore.state ->> 'table')::integer
                + ((restore.state ->> 'entry')::integer > 0 or jsonb_typeof(restore.state -> 'done') = 'object')::integer
            -- One that could not be restored may be an earlier restore's.
            and not exists (
                select
                from jsonb_array_elements(restore.exceptions) e
                where e ->> 'entry' = format('TABLE %s.%s', t.place ->> 0, t.place ->> 1)
            )
    loop
        begin
            execute format('drop table if exists %s', place);
        exception
            -- Somebody uses it: that must not keep the restore from ending.
            when others then
                raise warning 'Cannot drop the copy %: %', place, sqlerrm;
        end;
    end loop;
    perform backup._drop_side_schema(restore.into_schema);
end;
$$;

comment on function backup._remove_copies is 'Drops the copies that a restore has made so far, and their schema where it is empty then.';

create or replace function backup._end_restore(id bigint, status text, error jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    ended backup.restores;
begin
    select r.* into ended from backup.restores r where r.id = _end_restore.id for update;
    update backup.restores r
    set status = _end_restore.status,
        finished_at = clock_timestamp(),
        progressed_at = clock_timestamp(),
        progress = null,
        state = null,
        retry_at = null,
        error_code = error ->> 'code',
        error_message = error ->> 'message',
        error_hint = error ->> 'hint'
    where r.id = _end_restore.id;
    if status <> 'succeeded' and ended.into_schema is not null then
        perform backup._remove_copies(ended);
    end if;
end;
$$;

comment on function backup._end_restore is
    'Ends a restore as succeeded, failed (with {code, message, hint}) or cancelled. Unless it succeeded, nothing that it made '
    'stays.';

create or replace function backup._finish_restore(worker uuid, id bigint, status text, error jsonb, statements jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(worker);
    if status = 'succeeded' and not exists (select from backup.restores r where r.id = _finish_restore.id and r.status = 'running') then
        raise exception 'Restore % was cancelled', id
            using errcode = 'BK002', hint = 'No action is needed.';
    end if;
    update backup.restores r
    set see_differences = statements ->> 'see_differences',
        insert_missing = statements ->> 'insert_missing',
        update_changed = statements ->> 'update_changed',
        create_again = statements ->> 'create_again'
    where r.id = _finish_restore.id;
    perform backup._end_restore(id, status, error);
end;
$$;

comment on function backup._finish_restore is
    'Ends a restore for the worker that has the turn, with the statements that compare and merge. Raises BK002 when it was '
    'cancelled.';

create or replace function backup._count_restore_failure(id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    failed backup.restores;
begin
    update backup.restores r
    set failures = r.failures + 1,
        error_code = error ->> 'code',
        error_message = error ->> 'message',
        error_hint = error ->> 'hint',
        retry_at = case when r.failures > 0 then clock_timestamp() + least(interval '10 minutes', interval '5 seconds' * 2 ^ r.failures) end
    where r.id = _count_restore_failure.id and r.finished_at is null
    returning r.* into failed;
    if final or failed.failures >= 6 then
        perform backup._end_restore(id, case when failed.status = 'cancelling' then 'cancelled' else 'failed' end, error);
    end if;
end;
$$;

comment on function backup._count_restore_failure is
    'Counts a failure of a restore, which is tried again, and from the second on after 10, 20, 40 … seconds. The sixth in a '
    'row, or a final one, ends it.';

create or replace function backup._record_restore_failure(worker uuid, id bigint, error jsonb, final boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_turn(worker);
    perform backup._count_restore_failure(id, error, final);
end;
$$;

comment on function backup._record_restore_failure is 'Records a failure for the worker that has the turn.';

create or replace function backup._release_restorer(worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_starts();
    update backup.workers w set left_at = clock_timestamp() where w.id = worker;
    perform backup._reconcile();
end;
$$;

comment on function backup._release_restorer is 'Ends the turn to restore, and calls the next worker while something is left.';
