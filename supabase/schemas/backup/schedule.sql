create or replace function backup.schedule(schedule text)
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
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 3 * * 0 for Sundays at three.';
    end if;
    return backup._schedule_job('backup-weekly', schedule, $job$select backup.start('scheduled')$job$);
end;
$$;

comment on function backup.schedule is
    'Backs up on this cron schedule (UTC) from now on and returns the job''s number. Example: select '
    'backup.schedule(''30 2 * * *'')';

create or replace function backup.unschedule()
returns boolean
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select backup._unschedule_job('backup-weekly');
$$;

comment on function backup.unschedule is 'Stops the scheduled backups; returns false when there were none.';
