create or replace function backup.check()
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    verdict text;
begin
    perform backup._lock_starts();
    perform backup._fail_abandoned_run();
    verdict := backup._record_event();
    -- An error that keeps the function from being called must not undo the record of it.
    begin
        perform backup._reconcile();
    exception
        when others then
            raise warning 'Cannot call the function: %', sqlerrm using hint = 'See select * from backup.health.';
    end;
    return verdict;
end;
$$;

comment on function backup.check is
    'Runs the daily check and returns the verdict. It fails a run that was left behind, records in backup.events '
    'what has changed, and calls for alerts and copies that are pending. It never re-enables a job: only a person'
    ' knows whether it was meant to go.';

create or replace function backup._record_event()
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    now_found record;
    before backup.events;
begin
    perform backup._lock_work();
    select h.verdict, h.reasons into now_found from backup.health h;
    select e.* into before from backup.events e order by e.id desc limit 1;
    if before.verdict = now_found.verdict and backup._alarm_codes(before.reasons) = backup._alarm_codes(now_found.reasons) then
        update backup.events e set seen_at = clock_timestamp(), reasons = now_found.reasons where e.id = before.id;
    else
        insert into backup.events (verdict, previous_verdict, reasons) values (now_found.verdict, before.verdict, now_found.reasons);
    end if;
    return now_found.verdict;
end;
$$;

comment on function backup._record_event is
    'Checks everything, records it in backup.events when it has changed, and returns the verdict. It runs daily '
    'and at the end of each run.';

create or replace function backup._alarm_codes(reasons jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct reason ->> 'code' order by reason ->> 'code'), '{}')
    from jsonb_array_elements(reasons) reason
    where reason ->> 'severity' <> 'info';
$$;

comment on function backup._alarm_codes is
    'Returns the codes of the reasons that count. Those of severity info make no event, and neither does a '
    'message whose figures change.';

create or replace function backup.schedule_check(schedule text default '23 6 * * *')
returns bigint
language plpgsql
-- The job must belong to the owner of the schema, whichever role calls.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup.is_schedule(schedule) then
        raise exception 'Invalid schedule "%": it is not a cron schedule of five fields, or never fires', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 23 6 * * * for every day at 6:23.';
    end if;
    return backup._schedule_job('backup-daily', schedule, 'select backup.check()');
end;
$$;

comment on function backup.schedule_check is
    'Checks the backups on this cron schedule (UTC) from now on and returns the job''s number. Example: select '
    'backup.schedule_check(''0 7 * * *'')';
