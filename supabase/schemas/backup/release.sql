create or replace function backup._retire(run_id bigint, worker uuid)
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
    update backup.workers w set retired_at = clock_timestamp() where w.id = worker and w.retired_at is null;
    if found then
        perform backup._reconcile_run(run.id);
    end if;
    return true;
end;
$$;

comment on function backup._retire is
    'Calls the successor of a worker that goes on with what it has: its isolate gets no further calls, so the '
    'successor''s call cannot meet it. Returns false when the worker must stop at once.';

create or replace function backup._report_facts(run_id bigint, worker uuid, facts jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.workers w
    set facts = coalesce(w.facts, '{}') || _report_facts.facts
    where w.id = worker and w.run_id = _report_facts.run_id;
    update backup.log l
    set cpu_ms = (select sum((w.facts ->> 'own_cpu_ms')::bigint) from backup.workers w where w.run_id = l.id)
    where l.id = _report_facts.run_id;
$$;

comment on function backup._report_facts is
    'Records what a worker found out about the platform: {encrypted, uploads, cpu_ms, own_cpu_ms}. May be '
    'repeated; later values win.';

create or replace function backup._release(run_id bigint, worker uuid, error jsonb default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    stays boolean;
begin
    -- A worker without a lease holds a snapshot that is not needed.
    if not backup._renew_lease(run, worker) then
        return true;
    end if;
    -- A slice that was given back in good order did not fail.
    update backup.slices s
    set worker = null, tries = s.tries - case when _release.error is null then 1 else 0 end
    where s.run_id = run.id and s.worker = _release.worker and s.finished_at is null;
    stays := exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        and exists (select from backup.workers w where w.id = worker and w.held_at is not null)
        and not exists (
            select
            from backup.live_workers w
            where w.run_id = run.id and w.id <> worker and w.working and w.held_at is not null
        );
    update backup.workers w
    set error = coalesce(w.error, _release.error),
        progress = null,
        leaving_at = coalesce(w.leaving_at, clock_timestamp()),
        left_at = case when not stays then clock_timestamp() end
    where w.id = worker;
    perform backup._reconcile_run(run.id);
    return not stays;
end;
$$;

comment on function backup._release is
    'Gives a worker''s unfinished slices back and lets it leave. Returns false while it is the last that holds a '
    'snapshot still needed: it keeps its session and asks again; a successor has been called. The error {code, '
    'message, hint} says why it gives up; the code worker_ended, for an isolate that is being stopped, counts as '
    'a death.';
