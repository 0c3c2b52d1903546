create or replace function versioning.upkeep()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform versioning.refresh();
    perform versioning.prune();
end;
$$;

comment on function versioning.upkeep is 'Calls refresh() and prune(), as the nightly job does.';

create or replace function versioning_private.has_cron()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron');
$$;

comment on function versioning_private.has_cron is
    'Returns whether pg_cron is installed. Without the extension, a schema named cron may be any role''s.';

create or replace function versioning.schedule(schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    if not versioning_private.has_cron() then
        raise exception 'Cannot schedule the upkeep: pg_cron is not installed'
            using errcode = 'feature_not_supported',
                hint = 'Enable pg_cron under Integrations in the dashboard, or call versioning.upkeep() by other means.';
    end if;
    job := cron.schedule('versioning-upkeep', btrim(schedule, ' '), 'select versioning.upkeep()');
    -- Jobs of a restored database are inactive, and cron.schedule() leaves them so.
    perform cron.alter_job(job, active := true);
    return job;
end;
$$;

comment on function versioning.schedule is
    'Schedules versioning.upkeep() with pg_cron (UTC) and returns the number of the job. Example: select '
    'versioning.schedule(''45 3 * * *'')';

create or replace function versioning.unschedule()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    job bigint;
begin
    if not versioning_private.has_cron() then
        return false;
    end if;
    select j.jobid into job from cron.job j where j.jobname = 'versioning-upkeep' and j.username = current_user;
    return job is not null and cron.unschedule(job);
end;
$$;

comment on function versioning.unschedule is
    'Removes the job that versioning.schedule() made. Returns false if there is none.';

create or replace function versioning_private.ensure_schedule()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not versioning_private.has_cron() then
        raise warning 'Old versions are not removed automatically: pg_cron is not installed'
            using hint = 'Install it, then run: select versioning.schedule(''45 3 * * *'')';
    elsif not exists (select from cron.job where jobname = 'versioning-upkeep') then
        perform versioning.schedule('45 3 * * *');
    end if;
end;
$$;

comment on function versioning_private.ensure_schedule is
    'Schedules the upkeep for 03:45 UTC every night, unless there is a job already or no pg_cron.';
