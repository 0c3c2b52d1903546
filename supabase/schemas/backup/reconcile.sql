create or replace function backup._missing_workers(run_id bigint)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    calls record;
    error jsonb;
    unfinished bigint;
    unclaimed bigint;
    wanted bigint;
    working bigint;
begin
    if run.finished_at is not null then
        return 0;
    end if;
    perform backup._collect_responses(run_id);
    select c.* into calls from backup._call_status('run', run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return 0;
    end if;
    perform backup._note_vain_calls(run, calls.vain, calls.answer);
    error := backup._attempt_error(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return 0;
        end if;
        run := backup._lock_run(run_id);
    end if;
    if backup._is_postponed(run) then
        return 0;
    end if;
    -- A worker whose isolate is retired finishes the slice that it has, beside its successor.
    select
        count(*),
        count(*) filter (where not exists (
            select from backup.live_workers live join backup.workers w on w.id = live.id
            where live.id = s.worker and live.working and w.retired_at is not null
        ))
    into unfinished, unclaimed
    from backup.slices s
    where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared. Where the platform gives calls to an isolate that
    -- is at work, it has one that takes calls at a time, and more calls would only meet that one.
    wanted := case
        when unfinished = 0 then 1
        when exists (select from backup.calls c where c.run_id = run.id and backup._answer_code(c.answer) = 'busy') then least(unclaimed, 1)
        else least(unclaimed, (run.settings ->> 'workers')::bigint)
    end;
    select count(*) into working
    from backup.live_workers live join backup.workers w on w.id = live.id
    where live.run_id = run.id and live.working and w.retired_at is null;
    -- The isolate that was busy is free where nobody works any more.
    if not exists (select from backup.live_workers w where w.run_id = run.id and w.working) then
        calls.expected := calls.expected - calls.busy;
    end if;
    return greatest(wanted - working - calls.expected, 0);
end;
$$;

comment on function backup._missing_workers is
    'Compares what an active run needs with the workers it has and returns how many are to be called. Fails a run '
    'whose calls come to nothing, with what pg_net recorded; ends an attempt whose snapshot is lost or that makes no '
    'progress.';

create or replace function backup._reconcile_run(run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    missing integer := backup._missing_workers(run_id);
begin
    -- A retired worker calls its successor itself. A call by pg_net would only meet its isolate, and be waited for.
    if exists (
        select from backup.live_workers live join backup.workers w on w.id = live.id
        where live.run_id = _reconcile_run.run_id and live.working and w.retired_at is not null
    ) and not exists (select from backup.workers w where w.run_id = _reconcile_run.run_id and w.facts ? 'calls') then
        return;
    end if;
    for i in 1 .. missing loop
        perform backup._call('run', run_id);
    end loop;
end;
$$;

comment on function backup._reconcile_run is
    'Ends a run or an attempt that cannot go on, and has pg_net call the workers that an active run lacks. Doing it '
    'twice does no more than doing it once.';

create or replace function backup._unreachable(vain bigint, answer jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('The function did not begin work after %s calls: %s', vain, problem ->> 'message'),
        'hint', problem -> 'hint'
    ) || case when problem ? 'code' then problem - 'refused' else '{}' end
    from backup._vain_answer(answer) problem
    where vain >= case when (problem ->> 'refused')::boolean then 2 else 5 end;
$$;

comment on function backup._unreachable is
    'Returns the error of a run whose calls come to nothing, or null: after five calls in vain, or two when the '
    'function is missing or wrongly deployed.';

create or replace function backup._note_vain_calls(run backup.log, vain bigint, answer jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.log l
    set progress = l.progress || jsonb_build_object('problem', backup._vain_answer(answer) - 'refused')
    where l.id = run.id
        and (vain > 0 or run.heartbeat_at is null and answer ->> 'status' not like '2%')
        and not exists (select from backup.live_workers w where w.run_id = run.id and w.working);
$$;

comment on function backup._note_vain_calls is
    'Writes into the log why no worker has come, for those who look while the run waits. The next heartbeat '
    'removes it.';

create or replace function backup._with_failed_slices(run backup.log, error jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with tried as (
        select s.estimated_bytes as bytes, (select string_agg(distinct piece ->> 'table', ', ') from jsonb_array_elements(s.pieces) piece) as tables
        from backup.slices s
        where s.run_id = run.id
            and s.finished_at is null
            and s.tries > 0
            and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    ),
    giant as (
        select tried.* from tried where tried.bytes > 2 * (run.settings ->> 'slice_bytes')::bigint order by tried.bytes desc limit 1
    )
    select error || jsonb_strip_nulls(jsonb_build_object(
        'message', (error ->> 'message') || coalesce('; they failed on: ' || left((select string_agg(distinct tables, ', ') from tried), 200), ''),
        'hint', coalesce(
            (
                select format(
                    'A slice of %s cannot be smaller than %s, because one invocation exports a whole row, and its CPU limit allows about 100 MB of text. '
                    'Keep such values in Storage, or try backup.configure(level => 1), which uses less CPU per byte.',
                    left(giant.tables, 200), pg_size_pretty(giant.bytes)
                )
                from giant
            ),
            error ->> 'hint'
        )
    ));
$$;

comment on function backup._with_failed_slices is
    'Adds to an attempt''s error the tables that were tried and not finished, and says when one of their slices '
    'is too large for any invocation.';

create or replace function backup._attempt_error(run backup.log)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    unfinished bigint;
    last backup.workers;
    lost bigint;
begin
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    if unfinished > 0 and not exists (
        select from backup.live_workers w where w.run_id = run.id and w.held_at is not null
    ) then
        return backup._with_failed_slices(run, jsonb_build_object(
            'code', 'snapshot_lost',
            'message', format('All workers that held the snapshot ended with %s slices unfinished', unfinished),
            'hint', 'Workers end when the platform stops them or the database restarts. Check the logs of the function.'
        ));
    end if;
    select count(*) into lost from backup._lost_workers(run) w where w.entered_at > run.progressed_at;
    if lost < 2 + (run.settings ->> 'workers')::integer and not exists (
        select
        from backup.slices s
        where s.run_id = run.id
            and s.finished_at is null
            and s.tries >= 3
            and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    ) then
        return null;
    end if;
    -- The error of the last one says more than that it failed.
    select w.* into last from backup._lost_workers(run) w where w.error is not null order by w.entered_at desc limit 1;
    return backup._with_failed_slices(run, coalesce(last.error, jsonb_build_object(
        'code', 'worker_died',
        'message', format('%s workers exited unexpectedly during %s', lost, run.phase),
        'hint', 'Check the logs of the function for limits of CPU, memory or time that it reached.'
    )));
end;
$$;

comment on function backup._attempt_error is 'Returns the error of an attempt that cannot go on, or null.';

create or replace function backup._clamp_clock_skew()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.log l
    set started_at = least(l.started_at, clock_timestamp()),
        heartbeat_at = least(l.heartbeat_at, clock_timestamp()),
        progressed_at = least(l.progressed_at, clock_timestamp())
    where l.finished_at is null and greatest(l.started_at, l.heartbeat_at, l.progressed_at) > clock_timestamp();
    update backup.calls c
    set created_at = clock_timestamp(),
        used_at = least(c.used_at, clock_timestamp()),
        expires_at = c.expires_at - (c.created_at - clock_timestamp())
    where c.created_at > clock_timestamp();
    update backup.workers w
    set entered_at = clock_timestamp(),
        lease_until = clock_timestamp() + (w.lease_until - w.entered_at)
    where w.entered_at > clock_timestamp();
    update backup.workers w
    set lease_until = clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer)
    from backup.log l
    where w.purpose = 'run' and l.id = w.run_id and l.finished_at is null
        and w.lease_until > clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer);
end;
$$;

comment on function backup._clamp_clock_skew is
    'Moves instants of the future to now. After the server''s clock was set back, a call or a lease would '
    'otherwise be waited for until the clock is there again. A clock that was set forward does no harm: leases '
    'expire and are taken over or renewed.';
