-- Makes the worker the finisher and gives it all it needs: {slices, parts, facts, run, settings, log}. Null while slices are unfinished or somebody
-- else finishes. `log` is every run that may have left something in the bucket, for rotation.
create or replace function backup._claim_finish(run_id bigint, worker uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if not backup._hear(run, worker)
        or not exists (select from backup.plans p where p.run_id = run.id)
        or exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        or exists (
            select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.role = 'finish' and w.working
        )
    then
        return null;
    end if;
    -- A former finisher must not go on beside this one, whether it was silent for too long or its session has ended: two of them would
    -- write two manifests. That it ended in the middle of its work is kept as its error.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', case
                when exists (select from backup.live_workers live where live.id = w.id)
                    or w.backend_start <= pg_postmaster_start_time() then 'lease_lost'
                else 'worker_ended'
            end,
            'message', format('worker %s has taken over the finish', worker)
        ))
    where w.run_id = run.id
        and w.attempt = run.attempt
        and w.role = 'finish'
        and w.id <> worker
        and w.left_at is null;
    update backup.workers w set role = 'finish' where w.id = worker;
    update backup.log l set phase = 'finishing' where l.id = run.id returning l.* into run;
    return jsonb_build_object(
        'slices', (
            select coalesce(jsonb_agg(
                jsonb_build_object('number', s.number, 'first_part', s.first_part, 'pieces', s.pieces, 'result', s.result)
                order by s.number
            ), '[]')
            from backup.slices s
            where s.run_id = run.id
        ),
        'parts', (
            select coalesce(jsonb_agg(to_jsonb(p) - '{run_id}'::text[] order by p.name), '[]')
            from backup.parts p
            where p.run_id = run.id
        ),
        'facts', (select p.facts from backup.plans p where p.run_id = run.id),
        'run', to_jsonb(run) - '{settings,progress}'::text[],
        'settings', run.settings,
        'log', (
            select jsonb_agg(jsonb_build_object(
                'name', l.name,
                'trigger', l.trigger,
                'status', l.status,
                'started_at', l.started_at,
                'verified_at', l.verified_at,
                'pinned', l.pinned
            ) order by l.id)
            from backup.log l
            where l.removed_at is null
        )
    );
end;
$$;

revoke all on function backup._claim_finish from public;
comment on function backup._claim_finish is 'Makes a worker the finisher; null unless all slices are finished and nobody else finishes.';

-- Extends the finisher's lease; raises BK001 for any other worker.
create or replace function backup._require_finisher(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_place(run, worker);
    if not exists (select from backup.workers w where w.id = worker and w.role = 'finish') then
        raise exception 'worker % does not finish run %', worker, run.id
            using errcode = 'BK001', hint = 'Claim the finish with backup._claim_finish() first.';
    end if;
end;
$$;

revoke all on function backup._require_finisher from public;
comment on function backup._require_finisher is 'Extends the finisher''s lease; raises BK001 for any other worker.';

-- This part was read back from Storage, and its checksum matched. Raises BK001 for anybody but the finisher: one of an earlier attempt
-- has read parts of the same names, and other bytes.
create or replace function backup._verified(run_id bigint, worker uuid, name text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_finisher(run, worker);
    update backup.parts p
    set verified_at = coalesce(p.verified_at, clock_timestamp())
    where p.run_id = run.id and p.name = _verified.name;
    if not found then
        raise exception 'run % has no part %', run_id, name
            using errcode = 'no_data_found', hint = 'Parts are recorded with backup._part() before they are verified.';
    end if;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
end;
$$;

revoke all on function backup._verified from public;
comment on function backup._verified is 'This part was read back and matched.';

-- The run is over and good. `result` is {rows, raw_bytes, stored_bytes, parts, checksum, warnings}; warnings are added to those of the plan.
-- May be repeated by the same finisher. Refused while a part has not been read back.
create or replace function backup._succeed(run_id bigint, worker uuid, result jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    unverified bigint;
begin
    if run.status = 'succeeded' and exists (
        select
        from backup.workers w
        where w.id = worker and w.run_id = run.id and w.role = 'finish' and w.left_at is not null and w.error is null
    ) then
        return;
    end if;
    perform backup._require_finisher(run, worker);
    select count(*) into unverified from backup.parts p where p.run_id = run.id and p.verified_at is null;
    if unverified > 0 then
        raise exception 'run % cannot succeed: % parts are not verified', run_id, unverified
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Read every part back and report it with backup._verified() first.';
    end if;
    -- A run without any death shows that the budgets can be larger again.
    if run.attempt = 1 and not backup._worker_died(run) then
        update backup.settings s set budget_halvings = s.budget_halvings - 1 where s.budget_halvings > 0;
    end if;
    update backup.log l
    set status = 'succeeded',
        phase = null,
        finished_at = clock_timestamp(),
        heartbeat_at = clock_timestamp(),
        verified_at = clock_timestamp(),
        rows = (result ->> 'rows')::bigint,
        raw_bytes = (result ->> 'raw_bytes')::bigint,
        stored_bytes = (result ->> 'stored_bytes')::bigint,
        parts = (result ->> 'parts')::bigint,
        checksum = result ->> 'checksum',
        warnings = l.warnings || coalesce(result -> 'warnings', '[]')
    where l.id = run.id;
    update backup.workers w set left_at = clock_timestamp() where w.id = worker;
    perform backup._watch_off();
end;
$$;

revoke all on function backup._succeed from public;
comment on function backup._succeed is 'Ends a run as succeeded.';

-- Ends the attempt with `error` (code, message, hint). With `retry` and attempts left the next one begins and is dispatched: true.
-- Otherwise the run has failed: false. A worker without a place changes nothing, and one that merely came too late for a snapshot
-- which others hold only leaves: true.
create or replace function backup._fail(run_id bigint, worker uuid, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    again boolean;
begin
    if not backup._hear(run, worker) then
        return false;
    end if;
    -- The holder that it wanted to import from left in that moment; the snapshot is not lost while another holds it.
    if error ->> 'code' = 'snapshot_lost' and exists (
        select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.held_at is not null
    ) then
        return backup._leave(run.id, worker, error);
    end if;
    -- It has left before its session ends: this was no death.
    update backup.workers w set left_at = clock_timestamp(), error = _fail.error where w.id = worker;
    again := backup._end_attempt(run, error, retry);
    perform backup._steer(run.id);
    return again;
end;
$$;

revoke all on function backup._fail from public;
comment on function backup._fail is 'Ends an attempt with an error; true when another one begins.';

-- Rotation has removed this backup from the bucket, even if somebody pinned it while that was being done: the log says what is. Folders of earlier attempts have no row, and need none.
create or replace function backup._removed(name text)
returns void
language sql
set search_path = ''
as $$
    update backup.log l
    set removed_at = clock_timestamp(), pinned = false
    where l.name = _removed.name and l.removed_at is null and l.finished_at is not null;
$$;

revoke all on function backup._removed from public;
comment on function backup._removed is 'Rotation has removed this backup.';
