create or replace function backup._lock_run(run_id bigint)
returns backup.log
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log;
begin
    select l.* into run from backup.log l where l.id = run_id for update;
    if not found then
        raise exception 'Run % does not exist', run_id
            using errcode = 'no_data_found', hint = 'See all runs with: select * from backup.log';
    end if;
    -- A transaction sees pg_stat_activity as it was at its first look; discard what it saw before it waited.
    perform pg_catalog.pg_stat_clear_snapshot();
    return run;
end;
$$;

comment on function backup._lock_run is
    'Locks a run until the transaction ends and returns its row. Verbs that change a run lock it first, so that '
    'its workers, backup.watch() and people act one after another.';

create or replace function backup._lost_workers(run backup.log)
returns setof backup.workers
language sql
stable
set search_path = pg_catalog, pg_temp
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

comment on function backup._lost_workers is
    'Returns the workers of the present attempt that died or gave up with an error.';

create or replace function backup._worker_died(run backup.log)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from backup._lost_workers(run) lost
        where lost.error ->> 'code' = 'worker_ended'
            or lost.left_at is null and lost.backend_start > pg_postmaster_start_time()
                and not exists (select from backup.live_workers live where live.id = lost.id)
    );
$$;

comment on function backup._worker_died is
    'Returns whether a worker of the present attempt exited unexpectedly, as one does that used up its CPU or '
    'memory. A restart of the server does not count.';

create or replace function backup._end_attempt(run backup.log, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
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

comment on function backup._end_attempt is
    'Ends the present attempt of a locked run with an error {code, message, hint}. Returns true when the next '
    'attempt begins (new folder, snapshot and settings; smaller budgets after a death), false when the run has '
    'failed. The caller calls the workers: backup._reconcile_run().';

create or replace function backup._is_postponed(run backup.log)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select run.phase = 'planning'
        and last.attempt ->> 'phase' = 'planning'
        and last.attempt #>> '{error, code}' = 'lock_timeout'
        -- An end in the future was recorded before the clock was set back.
        and clock_timestamp() between last.ended_at and last.ended_at
            + least(interval '10 minutes', interval '1 millisecond' * (run.settings ->> 'lock_timeout_ms')::integer * 6 ^ jsonb_array_length(run.attempts))
    from (select run.attempts -> -1, (run.attempts -> -1 ->> 'ended_at')::timestamptz) last (attempt, ended_at);
$$;

comment on function backup._is_postponed is
    'Returns whether the next attempt waits because two in a row met a locked table: a minute, then six (with the'
    ' default lock_timeout_ms). Trying again at once would use up the attempts within seconds.';

create or replace function backup._end_run(run backup.log, status text, error jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set status = _end_run.status,
        finished_at = clock_timestamp(),
        error_code = coalesce(error ->> 'code', 'internal'),
        error_message = coalesce(error ->> 'message', 'The function gave no reason'),
        error_hint = error ->> 'hint'
    where l.id = run.id;
end;
$$;

comment on function backup._end_run is
    'Ends a locked run as failed or cancelled. Its workers learn of it from their next verb.';
