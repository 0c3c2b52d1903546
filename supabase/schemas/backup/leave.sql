-- The worker wants to leave; its unfinished slices go back at once. True: it may end. False: it is the last who holds the snapshot while slices
-- are unfinished; it keeps its session, asks again in a moment, and a successor has been called. `error` says why it gives up
-- before its time: {code, message, hint}; code `worker_ended` for an isolate that is being stopped, which makes the next attempt's budgets smaller.
create or replace function backup._leave(run_id bigint, worker uuid, error jsonb default null)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    run backup.log := backup._lock(run_id);
    stays boolean;
begin
    -- A worker without a place holds a snapshot that nobody needs.
    if not backup._hear(run, worker) then
        return true;
    end if;
    -- A slice that was given back in good order was not tried in vain.
    update backup.slices s
    set worker = null, tries = s.tries - case when _leave.error is null then 1 else 0 end
    where s.run_id = run.id and s.worker = _leave.worker and s.finished_at is null;
    stays := exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null)
        and exists (select from backup.workers w where w.id = worker and w.held_at is not null)
        and not exists (
            select
            from backup.live_workers w
            where w.run_id = run.id and w.id <> worker and w.working and w.held_at is not null
        );
    update backup.workers w
    set error = coalesce(w.error, _leave.error),
        progress = null,
        leaving_at = coalesce(w.leaving_at, clock_timestamp()),
        left_at = case when not stays then clock_timestamp() end
    where w.id = worker;
    perform backup._steer(run.id);
    return not stays;
end;
$$;

revoke all on function backup._leave from public;
comment on function backup._leave is 'Lets a worker go, or false: hold the snapshot until a successor does.';
