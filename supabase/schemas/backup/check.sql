-- The daily check. It needs neither the function nor a run: it fails a run that was left behind, keeps in backup.events what has changed, has it told, and has
-- copied what was not. It switches nothing on: whether a job that is gone was meant to go is for a person to say.
create or replace function backup.check()
returns text
language plpgsql
set search_path = ''
as $$
declare
    verdict text;
begin
    perform backup._lock_starts();
    perform backup._abandon();
    verdict := backup._notice();
    perform backup.alert();
    perform backup.watch_copies();
    return verdict;
end;
$$;

revoke all on function backup.check from public;
comment on function backup.check is 'The daily check: ends what was left behind, keeps in backup.events what has changed, and has it told.';

-- Looks at everything, and keeps it when it has changed; answers the verdict. Called daily, and at the end of each run.
create or replace function backup._notice()
returns text
language plpgsql
set search_path = ''
as $$
declare
    now_found record;
    before backup.events;
begin
    perform backup._lock_events();
    select h.verdict, h.reasons into now_found from backup.health h;
    select e.* into before from backup.events e order by e.id desc limit 1;
    if before.verdict = now_found.verdict and backup._alarms(before.reasons) = backup._alarms(now_found.reasons) then
        update backup.events e set seen_at = clock_timestamp(), reasons = now_found.reasons where e.id = before.id;
    else
        insert into backup.events (verdict, previous_verdict, reasons) values (now_found.verdict, before.verdict, now_found.reasons);
    end if;
    return now_found.verdict;
end;
$$;

revoke all on function backup._notice from public;
comment on function backup._notice is 'Keeps in backup.events what has changed; answers the verdict.';

-- Events are noticed one after another. Whoever takes this lock takes no run's and no start's after it.
create or replace function backup._lock_events()
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtext('backup.events'));
$$;

revoke all on function backup._lock_events from public;
comment on function backup._lock_events is 'Makes those who notice events wait for each other.';

-- The codes that count: what is merely worth knowing makes no event, and neither does a message whose figures grow.
create or replace function backup._alarms(reasons jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select coalesce(array_agg(distinct reason ->> 'code' order by reason ->> 'code'), '{}')
    from jsonb_array_elements(reasons) reason
    where reason ->> 'severity' <> 'info';
$$;

revoke all on function backup._alarms from public;
comment on function backup._alarms is 'Codes of the reasons that count.';

-- The job of the daily check. There is one; scheduling again changes its time. Example: select backup.schedule_check('0 7 * * *');
create or replace function backup.schedule_check(schedule text default '23 6 * * *')
returns bigint
language plpgsql
-- The job has to belong to the owner of the schema, whoever of the two roles calls.
security definer
set search_path = ''
as $$
begin
    if not backup.is_schedule(schedule) then
        raise exception 'schedule refused: "%" is not a schedule of five fields', schedule
            using errcode = 'invalid_parameter_value',
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 23 6 * * * for every day at 6:23.';
    end if;
    return backup._keep_job('backup-daily', schedule, 'select backup.check()');
end;
$$;

revoke all on function backup.schedule_check from public;
grant execute on function backup.schedule_check to service_role;
comment on function backup.schedule_check is 'Checks the backups by this cron schedule (UTC) from now on; answers the job''s number.';
