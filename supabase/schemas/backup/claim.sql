-- Gives the worker the next slice: {number, first_part, estimated_bytes, pieces}; null when there is none for it. A slice is free when
-- nobody has claimed it, or who did no longer works. Only slices whose estimate is within `bytes` are given; null gives any, so that
-- a worker's first slice always fits. Slices that were tried before come last: what killed one worker shall not stop the others. Pieces of large tables come after
-- whole ones: the fewer tables are still to be read, the fewer migrations meet the run.
create or replace function backup._claim_slice(run_id bigint, worker uuid, bytes bigint default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    claimed backup.slices;
begin
    if not backup._hear(run, worker) then
        return null;
    end if;
    select s.* into claimed
    from backup.slices s
    where s.run_id = run.id
        and s.finished_at is null
        and (bytes is null or s.estimated_bytes <= bytes)
        and s.tries < 3
        and not exists (select from backup.live_workers w where w.id = s.worker and w.working)
    order by s.tries, s.pieces @> '[{"first": true, "last": true}]' desc, s.number
    limit 1
    -- Workers wait for the run's lock; a person who looks at slices under a lock holds nobody up.
    for update skip locked;
    if not found then
        return null;
    end if;
    -- A former owner that was silent for too long and comes back must not store parts beside the new one. One that died stays as it is.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', 'lease_lost', 'message', format('worker %s has taken over slice %s', worker, claimed.number)
        ))
    where w.id = claimed.worker and exists (select from backup.live_workers live where live.id = w.id);
    update backup.slices s
    set worker = _claim_slice.worker, tries = s.tries + 1
    where s.run_id = run.id and s.number = claimed.number;
    -- Whatever a former owner recorded is stored again under the same names.
    delete from backup.parts p where p.run_id = run.id and p.slice_number = claimed.number;
    return jsonb_build_object(
        'number', claimed.number,
        'first_part', claimed.first_part,
        'estimated_bytes', claimed.estimated_bytes,
        'pieces', claimed.pieces
    );
end;
$$;

revoke all on function backup._claim_slice from public;
comment on function backup._claim_slice is 'Gives a worker its next slice, or null.';

-- Records a part that the worker has stored; `slice_number` is null for a closing part, which the finisher stores.
-- May be repeated. Raises BK001 when the slice has gone to another worker.
create or replace function backup._part(run_id bigint, worker uuid, slice_number integer, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_place(run, worker);
    if not exists (
        select
        from backup.slices s
        where s.run_id = run.id and s.number = slice_number and s.worker = _part.worker and s.finished_at is null
    ) and not exists (
        select from backup.workers w where w.id = worker and w.role = 'finish' and slice_number is null
    ) then
        raise exception 'worker % cannot record part % of run %: it is not at slice %', worker, name, run_id, coalesce(slice_number::text, '(closing)')
            using errcode = 'BK001', hint = 'The slice is finished or has gone to another worker; claim the next one.';
    end if;
    insert into backup.parts as p (run_id, name, slice_number, bytes, sha256)
    values (run.id, _part.name, _part.slice_number, _part.bytes, _part.sha256)
    on conflict on constraint parts_pkey do update
    set slice_number = excluded.slice_number,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        stored_at = excluded.stored_at,
        verified_at = null;
end;
$$;

revoke all on function backup._part from public;
comment on function backup._part is 'Records a stored part.';

-- The worker has stored all parts of a slice. `result` is {rows, raw_bytes, stored_bytes, pieces}. May be repeated.
-- False when the slice has gone to another worker: claim the next one.
create or replace function backup._finish_slice(run_id bigint, worker uuid, number integer, result jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    if not backup._hear(run, worker) then
        return false;
    end if;
    update backup.slices s
    set finished_at = clock_timestamp(), result = _finish_slice.result
    where s.run_id = run.id
        and s.number = _finish_slice.number
        and s.worker = _finish_slice.worker
        and s.finished_at is null;
    if not found then
        return exists (
            select
            from backup.slices s
            where s.run_id = run.id and s.number = _finish_slice.number and s.worker = _finish_slice.worker
        );
    end if;
    update backup.workers w set progress = null where w.id = worker;
    update backup.log l set progressed_at = clock_timestamp() where l.id = run.id;
    perform backup._note_progress(run);
    -- A call that came to nothing is repeated now, not in a minute.
    perform backup._steer(run.id);
    return true;
end;
$$;

revoke all on function backup._finish_slice from public;
comment on function backup._finish_slice is 'Marks a slice as finished; false when it has gone to another worker.';
