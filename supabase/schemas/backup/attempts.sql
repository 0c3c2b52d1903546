-- How attempts and runs end. Verbs that change a run lock its row first: a run's workers, its watch-dog and people act one after another,
-- in short statements, and no two of them see half of what the other did.

-- Locks the run and answers it as it is then.
create or replace function backup._lock(run_id bigint)
returns backup.log
language plpgsql
set search_path = ''
as $$
declare
    run backup.log;
begin
    select l.* into run from backup.log l where l.id = run_id for update;
    if not found then
        raise exception 'run % does not exist', run_id
            using errcode = 'no_data_found', hint = 'select * from backup.log shows all runs.';
    end if;
    -- A transaction sees pg_stat_activity as it was at its first look; forget what was seen while we waited.
    perform pg_catalog.pg_stat_clear_snapshot();
    return run;
end;
$$;

revoke all on function backup._lock from public;
comment on function backup._lock is 'Locks a run until the transaction ends, and answers it.';

-- Workers of an attempt that came to nothing: their session is gone, or they gave up with an error.
create or replace function backup._lost_workers(run backup.log)
returns setof backup.workers
language sql
stable
set search_path = ''
as $$
    select w.*
    from backup.workers w
    where w.run_id = run.id
        and w.attempt = run.attempt
        and (
            w.error is not null
            or w.left_at is null and not exists (select from backup.live_workers live where live.id = w.id)
        );
$$;

revoke all on function backup._lost_workers from public;
comment on function backup._lost_workers is 'Workers of the present attempt that died or gave up.';

-- Did a worker end in the middle of its work, as one does that used up its CPU or memory? A restart of the
-- server also ends their sessions, and says nothing about budgets.
create or replace function backup._worker_died(run backup.log)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from backup._lost_workers(run) lost
        where lost.error ->> 'code' = 'worker_ended'
            or lost.left_at is null and lost.backend_start > pg_postmaster_start_time()
                and not exists (select from backup.live_workers live where live.id = lost.id)
    );
$$;

revoke all on function backup._worker_died from public;
comment on function backup._worker_died is 'Did a worker of the present attempt die of its limits?';

-- Ends the present attempt of a locked run with `error` (code, message, hint). With `retry` and attempts left
-- the next one begins: new folder, new snapshot, new settings, smaller budgets after a death; true then.
-- Otherwise the run fails; false. Dispatching is the caller's: backup._steer().
create or replace function backup._end_attempt(run backup.log, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    died boolean := backup._worker_died(run);
begin
    if died then
        update backup.settings s set budget_halvings = least(6, s.budget_halvings + 1);
    end if;
    update backup.log l
    set attempts = l.attempts || jsonb_build_object(
        'attempt', run.attempt,
        'name', run.name,
        'phase', run.phase,
        'ended_at', clock_timestamp(),
        'error', error,
        'worker_died', died,
        'slice_bytes', run.settings -> 'slice_bytes',
        'invocation_bytes', run.settings -> 'invocation_bytes'
    )
    where l.id = run.id;
    if not retry or run.attempt >= (run.settings ->> 'max_attempts')::integer then
        perform backup._end_run(run, 'failed', error);
        return false;
    end if;
    delete from backup.plans p where p.run_id = run.id;
    update backup.log l
    set attempt = run.attempt + 1,
        name = substring(run.name from '^backup-[0-9]{8}-[0-9]{6}') || '-' || run.attempt + 1,
        status = 'running',
        phase = 'planning',
        progress = '{}',
        progressed_at = clock_timestamp(),
        warnings = '[]',
        server_version = null,
        tables = null,
        settings = backup._settings_of_attempt()
    where l.id = run.id;
    return true;
end;
$$;

revoke all on function backup._end_attempt from public;
comment on function backup._end_attempt is 'Ends an attempt: true when another one begins, false when the run has failed.';

-- Is the next attempt put off? A table that was locked when the last one began is locked for longer than a moment: by a vacuum full or a load at night. Trying again
-- at once would use up the attempts within seconds; a minute and six minutes later (with the default lock_timeout_ms) it may be free.
create or replace function backup._is_put_off(run backup.log)
returns boolean
language sql
stable
set search_path = ''
as $$
    select run.phase = 'planning'
        and last.attempt ->> 'phase' = 'planning'
        and last.attempt #>> '{error, code}' = 'lock_timeout'
        -- An end that lies in the future was noted by a clock that has been set back.
        and clock_timestamp() between last.ended_at and last.ended_at
            + least(interval '10 minutes', interval '1 millisecond' * (run.settings ->> 'lock_timeout_ms')::integer * 6 ^ jsonb_array_length(run.attempts))
    from (select run.attempts -> -1, (run.attempts -> -1 ->> 'ended_at')::timestamptz) last (attempt, ended_at);
$$;

revoke all on function backup._is_put_off from public;
comment on function backup._is_put_off is 'Does the next attempt wait for a table that was locked?';

-- Ends a locked run that did not succeed. Its workers learn of it from their next verb.
create or replace function backup._end_run(run backup.log, status text, error jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set status = _end_run.status,
        finished_at = clock_timestamp(),
        error_code = coalesce(error ->> 'code', 'internal'),
        error_message = coalesce(error ->> 'message', 'the function gave no reason'),
        error_hint = error ->> 'hint'
    where l.id = run.id;
    perform backup._watch_off();
end;
$$;

revoke all on function backup._end_run from public;
comment on function backup._end_run is 'Ends a run as failed or cancelled.';
