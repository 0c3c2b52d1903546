-- Stores the plan of an attempt; its worker is a holder of the snapshot from then on, and goes on exporting. Calls the other workers.
-- `plan` is {snapshot, server_version, tables, estimated_bytes, warnings, parts, slices, facts}.
create or replace function backup._plan(run_id bigint, worker uuid, plan jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    no_room jsonb;
begin
    perform backup._require_place(run, worker);
    -- A repeated call changes nothing; a second planner finds that it was too late.
    if exists (select from backup.plans p where p.run_id = run.id and p.worker = _plan.worker) then
        return;
    elsif exists (select from backup.plans p where p.run_id = run.id) then
        raise exception 'worker % cannot plan run %: another worker has planned it', worker, run_id
            using errcode = 'BK001', hint = 'The worker stops; the run goes on without it.';
    end if;
    no_room := backup._no_room(run, (plan ->> 'estimated_bytes')::bigint);
    if no_room is not null then
        -- Trying again would not make room. The worker finds that it has lost its place.
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
    perform backup._note_progress(run);
    perform backup._steer(run.id);
end;
$$;

revoke all on function backup._plan from public;
comment on function backup._plan is 'Stores the plan of an attempt and calls further workers.';

-- The tables that who joins the snapshot locks access share, so that none of them goes away under the run: those with rows still to be read. The others may be
-- changed by anybody from now on; waiting behind a migration of one would end the attempt for nothing.
create or replace function backup._locked(run_id bigint)
returns text[]
language sql
stable
set search_path = ''
as $$
    select coalesce(array_agg(distinct piece ->> 'table'), '{}')
    from backup.slices s, jsonb_array_elements(s.pieces) piece
    where s.run_id = _locked.run_id and s.finished_at is null and not piece ? 'largeObjects';
$$;

revoke all on function backup._locked from public;
comment on function backup._locked is 'Quoted names of the tables to lock access share: those with rows still to be read.';

-- The worker has imported the snapshot, locked the tables and exported the snapshot anew: others may import it from now on.
create or replace function backup._hold(run_id bigint, worker uuid, snapshot text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
begin
    perform backup._require_place(run, worker);
    update backup.workers w
    set snapshot = _hold.snapshot, held_at = clock_timestamp()
    where w.id = worker;
end;
$$;

revoke all on function backup._hold from public;
comment on function backup._hold is 'The worker holds the snapshot; others may import it from its session.';
