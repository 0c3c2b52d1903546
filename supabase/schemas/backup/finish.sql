create or replace function backup._claim_finish(run_id bigint, worker uuid)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if not backup._renew_lease(run, worker)
        or not exists (select from backup.plans p where p.run_id = run.id)
        or exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        or exists (
            select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.role = 'finish' and w.working
        )
    then
        return null;
    end if;
    -- A former finisher, whether its lease expired or its session has ended, must not continue beside this one: they
    -- would write two manifests. Its error records that it ended in the middle of its work.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', case
                when exists (select from backup.live_workers live where live.id = w.id)
                    or w.backend_start <= pg_postmaster_start_time() then 'lease_lost'
                else 'worker_ended'
            end,
            'message', format('Worker %s has taken over finishing', worker)
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

comment on function backup._claim_finish is
    'Makes a worker the finisher and returns {slices, parts, facts, run, settings, log}, where log has every run '
    'that may have left something in the bucket. Null while slices are unfinished or another worker finishes.';

create or replace function backup._require_finisher(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_lease(run, worker);
    if not exists (select from backup.workers w where w.id = worker and w.role = 'finish') then
        raise exception 'Worker % is not the finisher of run %', worker, run.id
            using errcode = 'BK001', hint = 'Claim the finish with backup._claim_finish() first.';
    end if;
end;
$$;

comment on function backup._require_finisher is 'Renews the finisher''s lease; raises BK001 for any other worker.';

create or replace function backup._mark_part_verified(run_id bigint, worker uuid, name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_finisher(run, worker);
    update backup.parts p
    set verified_at = coalesce(p.verified_at, clock_timestamp())
    where p.run_id = run.id and p.name = _mark_part_verified.name;
    if not found then
        raise exception 'Run % has no part "%"', run_id, name
            using errcode = 'no_data_found', hint = 'Record the part with backup._record_part() first.';
    end if;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
end;
$$;

comment on function backup._mark_part_verified is
    'Records that a part was read back from Storage with the right checksum. Raises BK001 for anybody but the '
    'finisher.';

create or replace function backup._succeed(run_id bigint, worker uuid, result jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    unverified bigint;
    public_bucket jsonb;
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
        raise exception 'Run % cannot succeed: % parts are not verified', run_id, unverified
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Read every part back and record it with backup._mark_part_verified() first.';
    end if;
    -- A backup that anybody may read is not a success.
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        return;
    end if;
    -- A run without a death shows that the budgets can be larger again.
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
end;
$$;

comment on function backup._succeed is
    'Ends a run as succeeded, with {rows, raw_bytes, stored_bytes, parts, checksum, warnings}. May be repeated by'
    ' the same finisher. Raises an error while a part is not verified; fails the run when the bucket is public.';

create or replace function backup._fail(run_id bigint, worker uuid, error jsonb, retry boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    again boolean;
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    -- The holder that it wanted to import from has just left; the snapshot is not lost while another worker holds it.
    if error ->> 'code' = 'snapshot_lost' and exists (
        select from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.held_at is not null
    ) then
        return backup._release(run.id, worker, error);
    end if;
    -- It leaves before its session ends, so this does not count as a death.
    update backup.workers w set left_at = clock_timestamp(), error = _fail.error where w.id = worker;
    again := backup._end_attempt(run, error, retry);
    perform backup._reconcile_run(run.id);
    return again;
end;
$$;

comment on function backup._fail is
    'Ends an attempt with an error {code, message, hint}. Returns true when another attempt begins, false when '
    'the run has failed or the worker has lost its lease. A worker that came too late for a snapshot which others'
    ' still hold only leaves (true).';

create or replace function backup._mark_removed(name text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.log l
    set removed_at = clock_timestamp(), pinned = false
    where l.name = _mark_removed.name and l.removed_at is null and l.finished_at is not null;
$$;

comment on function backup._mark_removed is
    'Records that rotation has removed a backup from the bucket, and unpins it if somebody pinned it meanwhile.';
