create or replace function backup._retire(run_id bigint, worker uuid, out url text, out token text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
    missing integer;
begin
    if not backup._renew_lease(run, worker) then
        return;
    end if;
    update backup.workers w set retired_at = coalesce(w.retired_at, clock_timestamp()) where w.id = worker;
    missing := backup._missing_workers(run.id);
    -- A worker's own call arrives at once, and can be repeated as long as it meets a busy isolate: pg_net pauses for a
    -- second between batches, and its answers are seen later still.
    if missing > 0 and not exists (select from backup.workers w where w.run_id = run.id and w.facts ? 'calls') then
        select s.function_url into url from backup.settings s;
        token := backup._issue_token('run', run.id);
        missing := missing - 1;
    end if;
    for i in 1 .. missing loop
        perform backup._call('run', run.id);
    end loop;
end;
$$;

comment on function backup._retire is
    'Calls the successor of a worker that goes on with what it has: its isolate gets no further calls, so the '
    'successor''s call cannot meet it. Returns the address and the one-time token for the worker to call it, or nulls '
    'when pg_net does or none is needed yet. May be repeated.';

create or replace function backup._give_call_back(run_id bigint, worker uuid, token text, reason text default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    run backup.log := backup._lock_run(run_id);
begin
    -- Used up, it has arrived all the same.
    update backup.calls c
    set expires_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.run_id = run.id and c.request_id is null and c.used_at is null;
    if reason is not null then
        update backup.workers w
        set facts = coalesce(w.facts, '{}') || jsonb_build_object('calls', left(reason, 300))
        where w.id = worker and w.run_id = run.id;
    end if;
    perform backup._reconcile_run(run.id);
end;
$$;

comment on function backup._give_call_back is
    'Has pg_net call the successor that a worker could not call itself. The reason, unless the worker was stopped, keeps '
    'the other workers of the run from trying.';

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
