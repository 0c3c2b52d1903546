-- What the nightly job does.
create or replace function versioning.upkeep()
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform versioning.refresh();
    perform versioning.prune();
end;
$$;

revoke all on function versioning.upkeep from public;
comment on function versioning.upkeep is 'Follows changes of tracked tables and removes old versions.';

-- The job of pg_cron that does the upkeep. Without pg_cron a person, or another clock, calls versioning.upkeep().
-- Example: select versioning.schedule('45 3 * * *');
create or replace function versioning.schedule(schedule text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    if to_regprocedure('cron.schedule(text, text, text)') is null then
        raise exception 'pg_cron is not installed: nothing would do the upkeep'
            using errcode = 'feature_not_supported',
                hint = 'create extension pg_cron with schema pg_catalog; or turn it on under Integrations in the dashboard.';
    end if;
    job := cron.schedule('versioning-upkeep', btrim(schedule, ' '), 'select versioning.upkeep()');
    -- Jobs of a restored database come back inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

revoke all on function versioning.schedule from public;
comment on function versioning.schedule is 'Does the upkeep by this cron schedule (UTC); answers the job''s number.';

-- Ends it; false when there was no such job.
create or replace function versioning.unschedule()
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    if to_regclass('cron.job') is null then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = 'versioning-upkeep' and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

revoke all on function versioning.unschedule from public;
comment on function versioning.unschedule is 'Ends the upkeep by the clock.';

-- Every night at a quarter to four, from the first table on, where pg_cron is. A job that is there already is somebody's choice.
create or replace function versioning._schedule_first()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regclass('cron.job') is null then
        raise warning 'old versions are not removed by themselves: pg_cron is not installed'
            using hint = 'Install it, then: select versioning.schedule(''45 3 * * *'')';
    elsif not exists (select from cron.job where jobname = 'versioning-upkeep') then
        perform versioning.schedule('45 3 * * *');
    end if;
end;
$$;

revoke all on function versioning._schedule_first from public;
comment on function versioning._schedule_first is 'Sees that there is a job for the upkeep, where there can be one.';
