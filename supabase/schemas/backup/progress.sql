create or replace function backup._update_progress(run backup.log)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.log l
    set progress = (
        select jsonb_build_object(
            'slices', count(*),
            'slices_done', count(s.finished_at),
            'estimated_bytes', coalesce(sum(s.estimated_bytes), 0),
            'expected_invocations', greatest(1, ceil(sum(s.estimated_bytes) / (run.settings ->> 'invocation_bytes')::numeric)),
            'estimated_bytes_done', coalesce(sum(s.estimated_bytes) filter (where s.finished_at is not null), 0),
            'rows', coalesce(sum((s.result ->> 'rows')::bigint), 0) + doing.rows,
            'raw_bytes', coalesce(sum((s.result ->> 'raw_bytes')::bigint), 0) + doing.raw_bytes,
            'stored_bytes', coalesce(sum((s.result ->> 'stored_bytes')::bigint), 0),
            'workers', doing.workers,
            'doing', doing.progress
        )
        from (
            select
                count(*) as workers,
                coalesce(sum((w.progress ->> 'rows')::bigint), 0) as rows,
                coalesce(sum((w.progress ->> 'raw_bytes')::bigint), 0) as raw_bytes,
                coalesce(jsonb_agg(w.progress) filter (where w.progress is not null), '[]') as progress
            from backup.live_workers w
            where w.run_id = run.id and w.working
        ) doing
        left join backup.slices s on s.run_id = run.id
        group by doing.workers, doing.rows, doing.raw_bytes, doing.progress
    )
    where l.id = run.id;
$$;

comment on function backup._update_progress is
    'Writes into the log how far a run is: its finished slices, and what live workers reported of theirs.';

create or replace function backup._heartbeat(run_id bigint, worker uuid, progress jsonb default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    public_bucket jsonb;
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        return false;
    end if;
    update backup.workers w set progress = _heartbeat.progress where w.id = worker;
    update backup.log l
    set phase = _heartbeat.progress ->> 'phase'
    where l.id = run.id and _heartbeat.progress ->> 'phase' in ('finishing', 'verifying', 'rotating');
    perform backup._update_progress(run);
    return true;
end;
$$;

comment on function backup._heartbeat is
    'Renews a worker''s lease and records its progress: {slice, table, rows, raw_bytes} of its unfinished slice, '
    'or {phase}. Returns false when the worker must stop at once.';
