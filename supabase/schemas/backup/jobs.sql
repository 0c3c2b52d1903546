-- The two jobs of pg_cron: `backup-weekly` starts backups, `backup-watch` calls the watch-dog.
create function backup._require_cron()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regprocedure('cron.schedule(text, text, text)') is null then
        raise exception 'pg_cron is not installed: nothing would start or watch over backups'
            using errcode = 'feature_not_supported',
                hint = 'create extension pg_cron with schema pg_catalog; or turn it on under Integrations in the dashboard.';
    end if;
end;
$$;

revoke all on function backup._require_cron from public;
comment on function backup._require_cron is 'Raises a clear error where pg_cron is missing.';

-- By number and owner: pg_cron raises for a name it does not know, and a superuser sees other people's jobs.
create function backup._drop_job(name text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    job bigint;
begin
    perform backup._require_cron();
    select j.jobid into job from cron.job j where j.jobname = _drop_job.name and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

revoke all on function backup._drop_job from public;
comment on function backup._drop_job is 'Removes a job of pg_cron; false when there was none.';

-- The watch-dog's job exists while a run is active. Both verbs may be repeated.
create function backup._watch_on()
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_cron();
    perform cron.alter_job(cron.schedule('backup-watch', '* * * * *', 'select backup.watch()'), active := true);
end;
$$;

revoke all on function backup._watch_on from public;
comment on function backup._watch_on is 'Lets pg_cron call the watch-dog every minute.';

create function backup._watch_off()
returns void
language sql
set search_path = ''
as $$
    select backup._drop_job('backup-watch');
$$;

revoke all on function backup._watch_off from public;
comment on function backup._watch_off is 'Sends the watch-dog to sleep.';
