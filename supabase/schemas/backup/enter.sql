-- A worker enters a run, and learns what to do. `backend_pid` is the process of its export session, which must exist.
-- Answers role (`plan`, `export`, `finish`; `none`: go away), the run, the snapshots that can be imported, newest first, and the settings
-- of the attempt. The same worker may ask again.
create or replace function backup._enter(run_id bigint, worker uuid, backend_pid integer)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    session_start timestamptz;
    role text := 'none';
    stuck jsonb;
begin
    -- The call has done its duty, whatever comes of the worker. The newest one: an older one whose worker died on its way in must not pass
    -- its place on, and have each later call taken for one that is still under way.
    update backup.calls c
    set worker = _enter.worker
    where c.hash = (
        select o.hash
        from backup.calls o
        where o.run_id = _enter.run_id and o.used_at is not null and o.worker is null
        order by o.used_at desc
        limit 1
    ) and not exists (select from backup.calls o where o.worker = _enter.worker);
    -- The watch-dog is the owner of the schema: a session that it cannot see would pass for dead with everybody but itself.
    select a.backend_start into session_start
    from pg_catalog.pg_stat_activity a, pg_catalog.pg_namespace n
    where a.pid = backend_pid
        and n.nspname = 'backup'
        and (pg_has_role(n.nspowner, a.usesysid, 'usage') or pg_has_role(n.nspowner, 'pg_read_all_stats', 'usage'));
    if session_start is null then
        raise exception 'worker % cannot enter run %: there is no session with process %', worker, run_id, backend_pid
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Connect to the database itself and as the role that owns the schema backup; a pooler in transaction mode hides the session.';
    end if;
    -- Entering an attempt whose snapshot is lost begins the next one.
    stuck := backup._stuck(run);
    if run.finished_at is null and stuck ->> 'code' = 'snapshot_lost' then
        perform backup._end_attempt(run, stuck, true);
        run := backup._lock(run_id);
    end if;
    if run.finished_at is null then
        role := backup._role(run, worker);
    end if;
    if role <> 'none' then
        -- A worker that comes back to another attempt, from another session or after it left is a new one: the snapshot that it
        -- held must not be offered to anybody.
        delete from backup.workers w
        where w.id = worker
            and (
                w.left_at is not null
                or (w.run_id, w.attempt, w.backend_pid, w.backend_start) <> (run.id, run.attempt, _enter.backend_pid, session_start)
            );
        insert into backup.workers (id, run_id, attempt, role, backend_pid, backend_start, lease_until)
        values (worker, run.id, run.attempt, role, backend_pid, session_start, backup._lease(run))
        on conflict (id) do update
        set role = excluded.role, lease_until = excluded.lease_until;
        update backup.log l
        set status = 'running',
            phase = coalesce(l.phase, 'planning'),
            heartbeat_at = clock_timestamp(),
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

revoke all on function backup._enter from public;
comment on function backup._enter is 'Lets a worker into a run: role, run, snapshots, settings.';

-- What one more worker is good for in this attempt.
create or replace function backup._role(run backup.log, worker uuid)
returns text
language plpgsql
stable
set search_path = ''
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
        return case when exists (select from unnest(others) o where o.role = 'finish') then 'none' else 'finish' end;
    end if;
    if cardinality(others) >= (run.settings ->> 'workers')::integer then
        return 'none';
    end if;
    -- Slices that others are at need no further hand.
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

revoke all on function backup._role from public;
comment on function backup._role is 'What one more worker is good for.';

-- Until when a worker that is heard of now may be silent.
create or replace function backup._lease(run backup.log)
returns timestamptz
language sql
volatile
set search_path = ''
as $$
    select clock_timestamp() + make_interval(secs => (run.settings ->> 'lease_seconds')::integer);
$$;

revoke all on function backup._lease from public;
comment on function backup._lease is 'Until when a worker that is heard of now may be silent.';

-- Is this worker still one of the locked run's present attempt? If so its lease is extended.
create or replace function backup._hear(run backup.log, worker uuid)
returns boolean
language plpgsql
set search_path = ''
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

revoke all on function backup._hear from public;
comment on function backup._hear is 'Extends a worker''s lease; false when it has lost its place.';

-- The same, for verbs that a worker without a place must not use. SQLSTATE BK001 is theirs alone: the worker
-- stops, and nothing is wrong with the run.
create or replace function backup._require_place(run backup.log, worker uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if not backup._hear(run, worker) then
        raise exception 'worker % has no place in run %: it ended, or another attempt began', worker, run.id
            using errcode = 'BK001', hint = 'The worker stops; the run, or what comes after it, goes on without it.';
    end if;
end;
$$;

revoke all on function backup._require_place from public;
comment on function backup._require_place is 'Extends a worker''s lease; raises BK001 when it has lost its place.';
