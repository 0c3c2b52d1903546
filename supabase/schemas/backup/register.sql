create or replace function backup._register(run_id bigint, worker uuid, backend_pid integer)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    session_start timestamptz;
    role text := 'none';
    stuck jsonb;
    public_bucket jsonb;
begin
    -- The call has done its duty, whatever becomes of the worker.
    perform backup._link_call('run', _register.run_id, worker);
    -- backup.watch() runs as the owner of the schema: a session that the owner cannot see would look dead to
    -- everybody but itself.
    select a.backend_start into session_start
    from pg_catalog.pg_stat_activity a, pg_catalog.pg_namespace n
    where a.pid = backend_pid
        and n.nspname = 'backup'
        and (pg_has_role(n.nspowner, a.usesysid, 'usage') or pg_has_role(n.nspowner, 'pg_read_all_stats', 'usage'));
    if session_start is null then
        raise exception 'Cannot register worker % for run %: no session has process %', worker, run_id, backend_pid
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Connect to the database directly, as the owner of the schema backup. A pooler in transaction mode hides the session.';
    end if;
    -- Registering for an attempt whose snapshot is lost begins the next one.
    stuck := backup._attempt_error(run);
    if run.finished_at is null and stuck ->> 'code' = 'snapshot_lost' then
        perform backup._end_attempt(run, stuck, true);
        run := backup._lock_run(run_id);
    end if;
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if run.finished_at is null and public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        run := backup._lock_run(run_id);
    end if;
    if run.finished_at is null then
        role := backup._assign_role(run, worker);
    end if;
    if role <> 'none' then
        -- A worker that returns for another attempt, from another session or after it left is a new one: its former
        -- snapshot must not be offered to anybody.
        delete from backup.workers w
        where w.id = worker
            and (
                w.left_at is not null
                or (w.run_id, w.attempt, w.backend_pid, w.backend_start) <> (run.id, run.attempt, _register.backend_pid, session_start)
            );
        insert into backup.workers (id, run_id, attempt, role, backend_pid, backend_start, lease_until)
        values (worker, run.id, run.attempt, role, backend_pid, session_start, backup._lease(run))
        on conflict (id) do update
        set role = excluded.role, lease_until = excluded.lease_until;
        update backup.log l
        set status = 'running',
            phase = coalesce(l.phase, 'planning'),
            heartbeat_at = clock_timestamp(),
            progress = l.progress - 'problem',
            invocations = (select count(*) from backup.workers w where w.run_id = run.id)
        where l.id = run.id
        returning l.* into run;
    end if;
    return jsonb_build_object(
        'role', role,
        'run', jsonb_build_object(
            'id', run.id, 'name', run.name, 'attempt', run.attempt, 'trigger', run.trigger, 'started_at', run.started_at
        ),
        'snapshots', coalesce((
            select jsonb_agg(w.snapshot order by w.held_at desc)
            from backup.live_workers w
            where w.run_id = run.id and w.held_at is not null and w.id <> worker
        ), '[]'),
        'settings', run.settings
    );
end;
$$;

comment on function backup._register is
    'Registers a worker for a run and returns {role, run, snapshots, settings}. The role is plan, export, finish,'
    ' or none when the run does not need it. backend_pid is the process of its export session. The snapshots can '
    'be imported, newest first. Begins the next attempt when the snapshot is lost. May be repeated.';

create or replace function backup._assign_role(run backup.log, worker uuid)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    others backup.live_workers[] := array(
        select w from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.working
    );
begin
    if not exists (select from backup.plans p where p.run_id = run.id) then
        return case when cardinality(others) = 0 then 'plan' else 'none' end;
    end if;
    if not exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null) then
        return case when exists (select from unnest(others) o join backup.workers w on w.id = o.id where o.role = 'finish' and w.retired_at is null) then 'none' else 'finish' end;
    end if;
    if (select count(*) from unnest(others) o join backup.workers w on w.id = o.id where w.retired_at is null) >= (run.settings ->> 'workers')::integer then
        return 'none';
    end if;
    -- Slices that others work on need no further worker.
    return case
        when exists (
            select
            from backup.slices s
            where s.run_id = run.id
                and s.finished_at is null
                and not exists (select from unnest(others) o where o.id = s.worker)
        ) then 'export'
        else 'none'
    end;
end;
$$;

comment on function backup._assign_role is 'Returns the role of one more worker in this attempt.';

create or replace function backup._lease(run backup.log)
returns timestamptz
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select clock_timestamp() + make_interval(secs => (run.settings ->> 'lease_seconds')::integer);
$$;

comment on function backup._lease is 'Returns when a lease that is renewed now expires.';

create or replace function backup._renew_lease(run backup.log, worker uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.workers w
    set lease_until = backup._lease(run)
    where w.id = worker
        and w.run_id = run.id
        and w.attempt = run.attempt
        and w.left_at is null
        and run.finished_at is null;
    if not found then
        return false;
    end if;
    update backup.log l set heartbeat_at = clock_timestamp() where l.id = run.id;
    return true;
end;
$$;

comment on function backup._renew_lease is
    'Renews the lease of a worker of a locked run; returns false when it has lost its lease to another, or the '
    'run ended or began a new attempt.';

create or replace function backup._require_lease(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._renew_lease(run, worker) then
        raise exception 'Worker % has lost its lease on run %: the run ended or began another attempt', worker, run.id
            using errcode = 'BK001', hint = 'Stop; the run goes on without this worker.';
    end if;
end;
$$;

comment on function backup._require_lease is
    'Renews the lease of a worker; raises BK001 when it has lost it. The worker stops then, and nothing is wrong '
    'with the run.';
