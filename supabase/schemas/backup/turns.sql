-- Purposes other than a run have one worker at a time. It keeps its turn while its session exists and its lease has
-- not expired.

create or replace function backup._lock_work()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    lock table backup.events in share update exclusive mode;
    -- A transaction sees pg_stat_activity as it was at its first look.
    perform pg_stat_clear_snapshot();
end;
$$;

comment on function backup._lock_work is
    'Makes those who record events, take turns or call the function wait for each other. Take this lock after '
    'those on starts and on a run.';

create or replace function backup._take_turn(purpose text, worker uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._lock_work();
    perform backup._link_call(purpose, null, worker);
    if exists (select from backup.live_workers w where w.purpose = _take_turn.purpose and w.working) then
        return false;
    end if;
    delete from backup.workers w where w.purpose = _take_turn.purpose;
    insert into backup.workers (id, purpose, backend_pid, backend_start, lease_until)
    select worker, _take_turn.purpose, a.pid, a.backend_start, clock_timestamp() + interval '5 minutes'
    from pg_stat_activity a
    where a.pid = pg_backend_pid();
    return true;
end;
$$;

comment on function backup._take_turn is
    'Registers the only worker for a purpose; returns false while another one has the turn. The turn ends with '
    'its session.';

create or replace function backup._require_turn(worker uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update backup.workers w
    set lease_until = clock_timestamp() + interval '5 minutes'
    where w.id = worker and w.purpose <> 'run' and w.left_at is null;
    if not found then
        raise exception 'Worker % has lost its turn', worker
            using errcode = 'BK001', hint = 'Another invocation does this work; stop.';
    end if;
end;
$$;

comment on function backup._require_turn is
    'Renews the lease of the worker that has the turn; raises BK001 for one that has lost it.';
