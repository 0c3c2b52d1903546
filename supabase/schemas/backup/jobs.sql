-- Jobs of pg_cron: `backup-weekly` starts backups, `backup-daily` checks them; `backup-watch` exists while a run is
-- active or a copy or an alert is pending.

create or replace function backup._require_cron()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('cron.schedule(text, text, text)') then
        raise exception 'pg_cron is not installed, so nothing can start backups'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'Run: create extension pg_cron with schema pg_catalog. Or enable it under Integrations in the dashboard.';
    end if;
end;
$$;

comment on function backup._require_cron is 'Raises an error when pg_cron is missing.';

create or replace function backup._schedule_job(name text, schedule text, command text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    perform backup._require_cron();
    job := cron.schedule(name, btrim(schedule, ' '), command);
    -- Jobs of a restored database are inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

comment on function backup._schedule_job is 'Creates or changes a job of pg_cron and returns its number.';

create or replace function backup._unschedule_job(name text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    -- Without pg_cron there are no jobs, but a run must still be able to end.
    if not backup._platform_has('cron.job') then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = _unschedule_job.name and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

comment on function backup._unschedule_job is 'Removes a job of pg_cron; returns false when there was none.';

create or replace function backup._keep_watching(needed boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not needed then
        perform backup._unschedule_job('backup-watch');
        return;
    end if;
    perform backup._require_cron();
    if not exists (select from cron.job j where j.jobname = 'backup-watch' and j.username = current_user and j.active) then
        perform backup._schedule_job('backup-watch', '* * * * *', 'select backup.watch()');
    end if;
end;
$$;

comment on function backup._keep_watching is
    'Creates or removes the job backup-watch, which runs backup.watch() every minute.';
