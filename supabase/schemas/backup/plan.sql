create or replace function backup._store_plan(run_id bigint, worker uuid, plan jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    no_room jsonb;
begin
    perform backup._require_lease(run, worker);
    -- A repeated call changes nothing; a second planner is too late.
    if exists (select from backup.plans p where p.run_id = run.id and p.worker = _store_plan.worker) then
        return;
    elsif exists (select from backup.plans p where p.run_id = run.id) then
        raise exception 'Worker % cannot plan run %: another worker has planned it', worker, run_id
            using errcode = 'BK001', hint = 'Stop; the run goes on without this worker.';
    end if;
    no_room := coalesce(backup._public_bucket(run.settings ->> 'bucket'), backup._capacity_error(run, (plan ->> 'estimated_bytes')::bigint));
    if no_room is not null then
        -- Trying again would not help. The worker learns that it has lost its lease.
        perform backup._fail(run.id, worker, no_room, false);
        return;
    end if;
    insert into backup.plans (run_id, worker, estimated_bytes, facts)
    values (
        run.id,
        worker,
        (plan ->> 'estimated_bytes')::bigint,
        coalesce(plan -> 'facts', '{}')
    );
    insert into backup.slices (run_id, number, first_part, estimated_bytes, pieces)
    select run.id, s.number, s.first_part, s.estimated_bytes, s.pieces
    from jsonb_to_recordset(plan -> 'slices') s (number integer, first_part integer, estimated_bytes bigint, pieces jsonb);
    insert into backup.parts (run_id, name, bytes, sha256)
    select run.id, p.name, p.bytes, p.sha256
    from jsonb_to_recordset(plan -> 'parts') p (name text, bytes bigint, sha256 text);
    update backup.workers w
    set snapshot = plan ->> 'snapshot', held_at = clock_timestamp()
    where w.id = worker;
    update backup.log l
    set phase = 'exporting',
        progressed_at = clock_timestamp(),
        server_version = plan ->> 'server_version',
        tables = (plan ->> 'tables')::bigint,
        warnings = coalesce(plan -> 'warnings', '[]')
    where l.id = run.id;
    perform backup._update_progress(run);
    perform backup._reconcile_run(run.id);
end;
$$;

comment on function backup._store_plan is
    'Stores the plan of an attempt and calls further workers; its worker holds the snapshot from then on. The '
    'plan is {snapshot, server_version, tables, estimated_bytes, warnings, parts: [{name, bytes, sha256}], '
    'slices: [{number, first_part, estimated_bytes, pieces}], facts}; the manifest keeps the facts. The run fails'
    ' when the bucket is public or too small.';

create or replace function backup._tables_to_lock(run_id bigint)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct piece ->> 'table'), '{}')
    from backup.slices s, jsonb_array_elements(s.pieces) piece
    where s.run_id = _tables_to_lock.run_id and s.finished_at is null and not piece ? 'largeObjects';
$$;

comment on function backup._tables_to_lock is
    'Returns the quoted names of the tables that a worker which joins the snapshot locks in access share mode: '
    'those with rows still to be read. Anybody may change the others.';

create or replace function backup._publish_snapshot(run_id bigint, worker uuid, snapshot text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    perform backup._require_lease(run, worker);
    update backup.workers w
    set snapshot = _publish_snapshot.snapshot, held_at = clock_timestamp()
    where w.id = worker;
end;
$$;

comment on function backup._publish_snapshot is
    'Records that a worker has imported the snapshot, locked the tables and exported the snapshot again, so that '
    'others may import it from its session.';
