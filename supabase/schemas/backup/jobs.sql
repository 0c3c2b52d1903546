-- Jobs of pg_cron: `backup-weekly` starts backups, `backup-daily` checks them; `backup-watch`, `backup-alert` and `backup-copy` exist while there is a run to
-- watch over, something to tell, something to copy.
create or replace function backup._require_cron()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regprocedure('cron.schedule(text, text, text)') is null then
        raise exception 'pg_cron is not installed: nothing would start or watch over backups'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'create extension pg_cron with schema pg_catalog; or turn it on under Integrations in the dashboard.';
    end if;
end;
$$;

revoke all on function backup._require_cron from public;
comment on function backup._require_cron is 'Raises a clear error where pg_cron is missing.';

-- Makes the job of that name, or changes it; answers its number. The schedule is one that backup.is_schedule() takes.
create or replace function backup._keep_job(name text, schedule text, command text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    perform backup._require_cron();
    job := cron.schedule(name, btrim(schedule, ' '), command);
    -- Jobs of a restored database come back inactive, and scheduling alone leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

revoke all on function backup._keep_job from public;
comment on function backup._keep_job is 'Makes a job of pg_cron, or changes it; answers its number.';

-- By number and owner: pg_cron raises for a name it does not know, and a superuser sees other people's jobs.
create or replace function backup._drop_job(name text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    -- Without pg_cron there are no jobs; a run has to be able to end all the same.
    if to_regclass('cron.job') is null then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = _drop_job.name and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

revoke all on function backup._drop_job from public;
comment on function backup._drop_job is 'Removes a job of pg_cron; false when there was none.';

-- The watch-dog's job exists while a run is active. Both verbs may be repeated.
create or replace function backup._watch_on()
returns void
language sql
set search_path = ''
as $$
    select backup._keep_job('backup-watch', '* * * * *', 'select backup.watch()');
$$;

revoke all on function backup._watch_on from public;
comment on function backup._watch_on is 'Lets pg_cron call the watch-dog every minute.';

create or replace function backup._watch_off()
returns void
language sql
set search_path = ''
as $$
    select backup._drop_job('backup-watch');
$$;

revoke all on function backup._watch_off from public;
comment on function backup._watch_off is 'Sends the watch-dog to sleep.';
