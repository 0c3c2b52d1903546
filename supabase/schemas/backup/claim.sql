create or replace function backup._claim_slice(run_id bigint, worker uuid, bytes bigint default null)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    claimed backup.slices;
begin
    if not backup._renew_lease(run, worker) then
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
    -- Workers wait for the run's lock; a person who locks slices delays no worker.
    for update skip locked;
    if not found then
        return null;
    end if;
    -- A former owner whose lease expired and that comes back must not store parts beside the new one. One that died
    -- stays as it is.
    update backup.workers w
    set left_at = clock_timestamp(),
        error = coalesce(w.error, jsonb_build_object(
            'code', 'lease_lost', 'message', format('Worker %s has taken over slice %s', worker, claimed.number)
        ))
    where w.id = claimed.worker and exists (select from backup.live_workers live where live.id = w.id);
    update backup.slices s
    set worker = _claim_slice.worker, tries = s.tries + 1
    where s.run_id = run.id and s.number = claimed.number;
    -- The new owner stores the parts of a former one again, under the same names.
    delete from backup.parts p where p.run_id = run.id and p.slice_number = claimed.number;
    return jsonb_build_object(
        'number', claimed.number,
        'first_part', claimed.first_part,
        'estimated_bytes', claimed.estimated_bytes,
        'pieces', claimed.pieces
    );
end;
$$;

comment on function backup._claim_slice is
    'Gives a worker its next slice {number, first_part, estimated_bytes, pieces}, or null: one that nobody works '
    'on and whose estimate is within bytes (null for any). Slices that failed before come last, so that what '
    'killed one worker does not stop the others; pieces of large tables come after whole tables, so that '
    'migrations meet fewer unread tables.';

create or replace function backup._record_part(run_id bigint, worker uuid, slice_number integer, name text, bytes bigint, sha256 text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_lease(run, worker);
    if not exists (
        select
        from backup.slices s
        where s.run_id = run.id and s.number = slice_number and s.worker = _record_part.worker and s.finished_at is null
    ) and not exists (
        select from backup.workers w where w.id = worker and w.role = 'finish' and slice_number is null
    ) then
        raise exception 'Cannot record part "%" of run %: worker % does not have slice %', name, run_id, worker, coalesce(slice_number::text, '(closing)')
            using errcode = 'BK001', hint = 'The slice is finished or another worker has it. Claim the next one.';
    end if;
    insert into backup.parts as p (run_id, name, slice_number, bytes, sha256)
    values (run.id, _record_part.name, _record_part.slice_number, _record_part.bytes, _record_part.sha256)
    on conflict on constraint parts_pkey do update
    set slice_number = excluded.slice_number,
        bytes = excluded.bytes,
        sha256 = excluded.sha256,
        stored_at = excluded.stored_at,
        verified_at = null;
end;
$$;

comment on function backup._record_part is
    'Records a stored part; slice_number is null for a closing part, which only the finisher stores. May be '
    'repeated. Raises BK001 when another worker has the slice.';

create or replace function backup._finish_slice(run_id bigint, worker uuid, number integer, result jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if not backup._renew_lease(run, worker) then
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
    perform backup._update_progress(run);
    -- Repeats a call that came to nothing now, not in a minute.
    perform backup._reconcile_run(run.id);
    return true;
end;
$$;

comment on function backup._finish_slice is
    'Marks a slice as finished with {rows, raw_bytes, stored_bytes, pieces}; returns false when another worker '
    'has it. May be repeated.';
