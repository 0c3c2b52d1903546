-- What the function is called for beside a run. A new purpose is one more row here.

create or replace function backup._work()
returns table (purpose text, due boolean, pending boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select 'restore', exists (select from backup._restore_tasks()), exists (select from backup._restores_pending())
    union all
    -- A run goes first: nothing is copied while one is active.
    select 'copy', idle and exists (select from backup._copy_tasks()), idle and exists (select from backup._copies_pending())
    from (select not exists (select from backup.log l where l.finished_at is null)) run (idle)
    union all
    select
        'alert',
        -- A function that has not reported its channels for a day may be gone. A call that came to nothing is
        -- repeated after ten minutes, or for a newer event.
        (not channels.known or alerts.due) and not exists (
            select
            from backup.calls c
            where c.purpose = 'alert' and c.worker is null and c.created_at > greatest(now() - interval '10 minutes', event.noticed_at)
        ),
        (not channels.known or alerts.untold) and event.noticed_at > now() - interval '1 day'
    from (select count(*) > 0, coalesce(bool_or(u.due), false) from backup._pending_alerts() u) alerts (untold, due),
        (select exists (select from backup.channels c where c.reported_at > now() - interval '20 hours')) channels (known),
        (select max(e.noticed_at) from backup.events e) event (noticed_at);
$$;

comment on function backup._work is
    'Returns for each purpose but runs whether the function should be called now (due), and whether to check '
    'again in a minute (pending).';

create or replace function backup._reconcile()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    active bigint := (select l.id from backup.log l where l.finished_at is null);
    due text;
begin
    if active is not null then
        perform backup._reconcile_run(active);
    end if;
    perform backup._lock_work();
    perform backup._collect_responses(null);
    delete from backup.calls c where c.purpose <> 'run' and c.created_at < now() - interval '7 days';
    perform backup._end_restore(
        r.id, 'failed',
        '{"code": "no_progress", "message": "It made no progress for a day", "hint": "See select * from backup.health and the logs of the function."}'
    )
    from backup.restores r
    where r.finished_at is null and r.progressed_at < now() - interval '1 day';
    for due in
        select w.purpose
        from backup._work() w
        where w.due
            and backup._function_error() is null
            and not exists (select from backup.live_workers l where l.purpose = w.purpose and l.working)
            and (select s.expected from backup._call_status(w.purpose, null) s) = 0
    loop
        perform backup._call(due);
    end loop;
    if backup._platform_has('cron.job') then
        perform backup._keep_watching(
            exists (select from backup.log l where l.finished_at is null)
                or backup._function_error() is null and exists (select from backup._work() w where w.pending)
        );
    end if;
end;
$$;

comment on function backup._reconcile is
    'Compares the work with the workers: reconciles the active run, calls the function for other purposes that '
    'are due, and keeps the job backup-watch while something is pending. Doing it twice does no more than doing '
    'it once.';

create or replace function backup.watch()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A run that starts now must not lose the job that it has just seen.
    perform backup._lock_starts();
    perform backup._clamp_clock_skew();
    perform backup._reconcile();
end;
$$;

comment on function backup.watch is
    'Calls the workers that are missing for the active run, for copies, restores and alerts, or ends the run with '
    'the reason. The job backup-watch runs it every minute while there is something to do.';

create or replace function backup._after_run()
returns trigger
language plpgsql
-- A deferred trigger fires when the caller of a verb no longer has our rights.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Rows that a restore or a rebuilt log brings ended earlier and are not news.
    if new.finished_at >= now() then
        begin
            perform backup._record_event();
        exception
            when others then
                raise warning 'Cannot record the end of run %: %', new.id, sqlerrm using hint = 'The daily check tries again. To do it now: select backup.check()';
        end;
        -- What failed before is tried again now.
        update backup.copies c set retry_at = null where c.retry_at is not null;
    end if;
    perform backup._reconcile();
    return null;
exception
    when others then
        raise warning 'Cannot call the function after run %: %', new.id, sqlerrm using hint = 'The daily check tries again. To do it now: select backup.check()';
        return null;
end;
$$;

comment on function backup._after_run is
    'Records what the end of a run has changed, and calls for alerts and copies. It runs when the transaction '
    'commits, because verbs lock the run''s row first; nothing that fails here keeps a run from ending.';

drop trigger if exists after_run on backup.log;
create constraint trigger after_run
after insert or update of finished_at on backup.log
deferrable initially deferred
for each row when (new.finished_at is not null)
execute function backup._after_run();
