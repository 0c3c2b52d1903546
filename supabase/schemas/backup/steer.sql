-- What does the run need now? Called whenever something changed (a start, a plan, a worker that leaves, an
-- attempt that ended) and every minute by the watch-dog. Doing it twice does no more than doing it once.
-- 1. A run of which no call comes to anything fails, with what pg_net saw.
-- 2. An attempt whose snapshot is lost, or that does not come forward, ends.
-- 3. As many workers are called as have work, less those that work or are on their way; later, when the attempt is put off.
create or replace function backup._steer(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    calls record;
    error jsonb;
    unfinished bigint;
    wanted bigint;
    working bigint;
begin
    if run.finished_at is not null then
        return;
    end if;
    perform backup._collect_answers(run_id);
    select c.* into calls from backup._calls_of(run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return;
    end if;
    error := backup._stuck(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return;
        end if;
        run := backup._lock(run_id);
    end if;
    if backup._is_put_off(run) then
        return;
    end if;
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared.
    wanted := greatest(1, least(unfinished, (run.settings ->> 'workers')::bigint));
    select count(*) into working from backup.live_workers w where w.run_id = run.id and w.working;
    for i in 1 .. (wanted - working - calls.expected)::integer loop
        perform backup.dispatch(run.id);
    end loop;
end;
$$;

revoke all on function backup._steer from public;
comment on function backup._steer is 'Ends an attempt that cannot go on, and calls the workers that are missing.';

-- The error of a run whose calls come to nothing; null while there is hope. Five calls in vain are enough, and two
-- when the function itself refuses: a missing or wrongly deployed function does not mend in minutes.
create or replace function backup._unreachable(vain bigint, answer jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    status integer := (answer ->> 'status')::integer;
    refused boolean := coalesce(status between 400 and 499 and status not in (408, 429), false);
begin
    if vain < (case when refused then 2 else 5 end) then
        return null;
    end if;
    return jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('the function did not begin work after %s calls: ', vain) || case
            when answer is null then 'pg_net has no response'
            when status is null then coalesce(answer ->> 'error', 'pg_net has an empty response')
            else format('it answered %s %s', status, answer ->> 'body')
        end,
        'hint', case
            when status in (401, 403) then 'Deploy the function with verify_jwt = false, as in supabase/config.toml (supabase functions deploy backup), '
                'and check that function_url in backup.settings is this project''s.'
            when status = 404 then 'Deploy the function (supabase functions deploy backup) and check function_url in backup.settings.'
            when status between 200 and 299 then 'The function answers but does not get to work: see its logs, and check that it reaches the database.'
            when status is not null then 'See the logs of the function.'
            when answer is null then 'Check that pg_net works: select net.check_worker_is_up(), and restart it with select net.worker_restart().'
            else 'Check function_url in backup.settings, and that the function is deployed.'
        end
    );
end;
$$;

revoke all on function backup._unreachable from public;
comment on function backup._unreachable is 'The error of a run whose calls come to nothing; null while there is hope.';

-- Adds to an attempt's error which tables were tried and not finished and, where one of their slices is far larger than slices are made, that no invocation can take it.
create or replace function backup._blame_slices(run backup.log, error jsonb)
returns jsonb
language sql
stable
set search_path = ''
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
        'message', (error ->> 'message') || coalesce('; tried in vain: ' || left((select string_agg(distinct tables, ', ') from tried), 200), ''),
        'hint', coalesce(
            (
                select format(
                    'A slice of %s cannot be cut below %s: a row is exported by one invocation, whose CPU ends at about 100 MB of text. '
                    'Keep such values in Storage, or try backup.configure(level => 1), which takes less CPU for a byte.',
                    left(giant.tables, 200), pg_size_pretty(giant.bytes)
                )
                from giant
            ),
            error ->> 'hint'
        )
    ));
$$;

revoke all on function backup._blame_slices from public;
comment on function backup._blame_slices is 'Adds to an attempt''s error which slices were tried in vain.';

-- The error of an attempt that cannot go on; null when it can.
create or replace function backup._stuck(run backup.log)
returns jsonb
language plpgsql
stable
set search_path = ''
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
        return backup._blame_slices(run, jsonb_build_object(
            'code', 'snapshot_lost',
            'message', format('all workers that held the snapshot ended with %s slices unfinished', unfinished),
            'hint', 'Workers end when the platform stops them or the database restarts: see the logs of the function.'
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
    -- What the last of them had to say tells more than that it failed.
    select w.* into last from backup._lost_workers(run) w where w.error is not null order by w.entered_at desc limit 1;
    return backup._blame_slices(run, coalesce(last.error, jsonb_build_object(
        'code', 'worker_died',
        'message', format('%s workers ended without a word while %s', lost, run.phase),
        'hint', 'See the logs of the function for limits of CPU, memory or time that it reached.'
    )));
end;
$$;

revoke all on function backup._stuck from public;
comment on function backup._stuck is 'The error of an attempt that cannot go on; null when it can.';

-- The server's clock was set back: whatever of an active run lies in the future happened just now. Otherwise a call or a lease would be waited for until the clock
-- is there again. Forward does no harm: leases run out, and are taken over or renewed.
create or replace function backup._meet_clock(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.log l
    set started_at = least(l.started_at, clock_timestamp()),
        heartbeat_at = least(l.heartbeat_at, clock_timestamp()),
        progressed_at = least(l.progressed_at, clock_timestamp())
    where l.id = _meet_clock.run_id and greatest(l.started_at, l.heartbeat_at, l.progressed_at) > clock_timestamp();
    update backup.calls c
    set created_at = clock_timestamp(),
        used_at = least(c.used_at, clock_timestamp()),
        expires_at = c.expires_at - (c.created_at - clock_timestamp())
    where c.run_id = _meet_clock.run_id and c.created_at > clock_timestamp();
    update backup.workers w
    set entered_at = least(w.entered_at, clock_timestamp()),
        lease_until = least(w.lease_until, clock_timestamp() + make_interval(secs => (l.settings ->> 'lease_seconds')::integer))
    from backup.log l
    where w.run_id = _meet_clock.run_id and l.id = w.run_id and w.entered_at > clock_timestamp();
end;
$$;

revoke all on function backup._meet_clock from public;
comment on function backup._meet_clock is 'The clock was set back: what of a run lies in the future happened now.';

-- The watch-dog, called by pg_cron every minute while a run is active. It may be called at any time.
create or replace function backup.watch()
returns void
language plpgsql
set search_path = ''
as $$
declare
    active bigint;
begin
    -- A run that starts now must not lose the job that it has just found.
    perform backup._lock_starts();
    select l.id into active from backup.log l where l.finished_at is null;
    if found then
        perform backup._meet_clock(active);
        perform backup._steer(active);
    else
        perform backup._watch_off();
    end if;
end;
$$;

revoke all on function backup.watch from public;
comment on function backup.watch is 'The watch-dog: sees that the active run has workers, or ends it with the reason.';
