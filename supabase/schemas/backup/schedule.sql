-- The job that starts a backup by the clock. There is one; scheduling again changes its time.
-- Example: select backup.schedule('30 2 * * *');
create or replace function backup.schedule(schedule text)
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
                hint = 'Give minute, hour, day of month, month and day of week (UTC), such as 0 3 * * 0 for Sundays at three.';
    end if;
    return backup._keep_job('backup-weekly', schedule, $job$select backup.start('scheduled')$job$);
end;
$$;

revoke all on function backup.schedule from public;
grant execute on function backup.schedule to service_role;
comment on function backup.schedule is 'Backs up by this cron schedule (UTC) from now on; answers the job''s number.';

-- Ends the backups by the clock; answers false when there were none.
create or replace function backup.unschedule()
returns boolean
language sql
security definer
set search_path = ''
as $$
    select backup._drop_job('backup-weekly');
$$;

revoke all on function backup.unschedule from public;
grant execute on function backup.unschedule to service_role;
comment on function backup.unschedule is 'Ends the scheduled backups.';
