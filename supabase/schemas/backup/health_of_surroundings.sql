-- The schedule of the job that starts backups; null when there is none.
create or replace function backup._weekly_schedule()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if to_regclass('cron.job') is null then
        return null;
    end if;
    return (select j.schedule from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() order by j.active desc limit 1);
end;
$$;

revoke all on function backup._weekly_schedule from public;
comment on function backup._weekly_schedule is 'The schedule of the job that starts backups.';

-- Will the next backup be started at all?
create or replace function backup._look_at_jobs()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    job record;
    details record;
    schedule_again constant text := 'select backup.schedule(''0 3 * * 0'') sets it right: Sundays at three, UTC.';
begin
    if to_regclass('cron.job') is null then
        return next backup._reason(
            'cron_missing', 'failing', 'pg_cron is not installed: nothing starts backups by the clock, and nothing watches over them',
            'Turn pg_cron on under Integrations in the dashboard, then: select backup.schedule(''0 3 * * 0''); select backup.schedule_check()'
        );
        return;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() order by j.active desc limit 1;
    if not found then
        return next backup._reason('job_missing', 'failing', 'no job starts backups: backup-weekly is not in cron.job', schedule_again);
    elsif not job.active then
        return next backup._reason(
            'job_inactive', 'failing', 'the job that starts backups is switched off', format('select cron.alter_job(%s, active := true)', job.jobid)
        );
    elsif job.command !~ 'backup\.start\(' then
        return next backup._reason(
            'job_changed', 'failing', format('the job backup-weekly does something else: %s', left(job.command, 100)), schedule_again
        );
    elsif backup._longest_wait(job.schedule) is null then
        return next backup._reason(
            'schedule_unclear', 'warning', format('the schedule "%s" of the job backup-weekly never comes, or is none of five fields', job.schedule), schedule_again
        );
    end if;
    if job.jobid is not null and to_regclass('cron.job_run_details') is not null then
        select d.status, d.return_message into details
        from cron.job_run_details d
        where d.jobid = job.jobid and d.status in ('succeeded', 'failed')
        order by d.runid desc
        limit 1;
        if details.status = 'failed' then
            return next backup._reason(
                'job_failed', 'failing', format('pg_cron could not run the job backup-weekly: %s', left(details.return_message, 200)),
                'select * from cron.job_run_details order by runid desc limit 20'
            );
        end if;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-daily' and j.database = current_database() order by j.active desc limit 1;
    if not coalesce(job.active, false) then
        return next backup._reason(
            'check_missing', 'warning', 'nothing looks after the backups daily: the job backup-daily is missing or switched off', 'select backup.schedule_check()'
        );
    elsif (select max(e.seen_at) from backup.events e) < now() - interval '50 hours' then
        return next backup._reason(
            'check_silent', 'warning',
            format('the daily check was last made %s', (select max(e.seen_at) from backup.events e)),
            'pg_cron does not run it: select * from cron.job_run_details order by runid desc limit 20'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_jobs from public;
comment on function backup._look_at_jobs is 'Will the next backup be started?';

-- Can a run reach the function, and the bucket take what it brings?
create or replace function backup._look_at_ways()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    settings backup.settings;
    bucket record;
    waiting bigint;
    stored bigint;
begin
    -- A session may ask for that itself; the server and the database, for everybody.
    if pg_is_in_recovery() or exists (
        select from pg_settings s
        where s.name = 'default_transaction_read_only' and s.setting = 'on' and s.source in ('configuration file', 'command line', 'database')
    ) then
        return next backup._reason(
            'database_read_only', 'failing', 'the database takes no writes: no backup can start, and none can end',
            'Supabase does so when the disk is nearly full: make room or take a larger disk (Settings, Database), and see its guide on read-only mode.'
        );
    end if;
    select s.* into settings from backup.settings s;
    if settings.function_url is null then
        return next backup._reason(
            'not_configured', 'failing', 'function_url is not set: no backup can start',
            'select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    end if;
    if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
        return next backup._reason(
            'net_missing', 'failing', 'pg_net is not installed: nothing can call the function', 'Turn pg_net on under Integrations in the dashboard.'
        );
    else
        -- More than the worker takes in one batch.
        select count(*) into waiting from net.http_request_queue;
        if waiting > 200 then
            return next backup._reason(
                'net_stuck', 'warning', format('%s requests wait in pg_net''s queue', waiting),
                'If they do not become fewer: select net.worker_restart()'
            );
        end if;
    end if;
    if to_regclass('storage.buckets') is null then
        return next backup._reason('storage_missing', 'failing', 'there is no Storage in this database', 'Backups need Supabase Storage.');
        return;
    end if;
    select b.public, b.file_size_limit into bucket from storage.buckets b where b.id = settings.bucket;
    if not found then
        return next backup._reason(
            'bucket_missing', 'failing', format('there is no bucket "%s"', settings.bucket),
            'Create it, private: the migration create_backups_bucket does.'
        );
    elsif bucket.public then
        return next backup._reason(
            'bucket_public', 'failing', format('the bucket "%s" is public: whoever guesses a name downloads the whole database', settings.bucket),
            format('update storage.buckets set public = false where id = %L', settings.bucket)
        );
    elsif bucket.file_size_limit < settings.part_bytes then
        return next backup._reason(
            'bucket_limit', 'failing',
            format('the bucket takes files of %s bytes, parts have up to %s', bucket.file_size_limit, settings.part_bytes),
            format('select backup.configure(part_bytes => %s), or raise the limit of the bucket', bucket.file_size_limit)
        );
    end if;
    select sum((o.metadata ->> 'size')::bigint) into stored from storage.objects o where o.bucket_id = settings.bucket;
    if stored > 800000000 then
        return next backup._reason(
            'space', 'info', format('the backups take %s MB of Storage; the free plan has 1 GB for everything', round(stored / 1e6)),
            'select backup.configure(keep_scheduled => 2) keeps fewer; npm run prune removes at once.'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_ways from public;
comment on function backup._look_at_ways is 'Can a run reach the function, and the bucket take what it brings?';

-- Settings that are allowed and weaken backups.
create or replace function backup._look_at_settings()
returns setof jsonb
language sql
stable
set search_path = ''
as $$
    select backup._reason(rule.code, 'warning', rule.message, rule.hint)
    from backup.settings s,
        lateral (
            values
                (
                    s.keep_scheduled + s.keep_weekly + s.keep_monthly + s.keep_yearly < 2, 'keeps_one',
                    'only one scheduled backup is kept: what went wrong before it was made cannot be taken back',
                    'select backup.configure(keep_scheduled => 4)'
                ),
                (
                    s.lock_timeout_ms > 100000, 'lock_timeout_long',
                    format('a backup waits %s s for a locked table; an invocation on the free plan ends after 150 s', s.lock_timeout_ms / 1000),
                    'select backup.configure(lock_timeout_ms => 10000)'
                ),
                (
                    s.max_attempts = 1, 'one_attempt', 'a run has one attempt: a single restart of a worker ends it',
                    'select backup.configure(max_attempts => 3)'
                ),
                (
                    s.lease_seconds > 600, 'lease_long', format('a worker that hangs is noticed after %s s only', s.lease_seconds),
                    'select backup.configure(lease_seconds => 60)'
                ),
                (
                    s.budget_halvings >= 3, 'workers_die', format('workers died of their limits; budgets were halved %s times', s.budget_halvings),
                    'See the logs of the function for limits of CPU or memory; select attempts from backup.log has what each attempt ended with.'
                )
        ) rule (broken, code, message, hint)
    where rule.broken;
$$;

revoke all on function backup._look_at_settings from public;
comment on function backup._look_at_settings is 'Settings that are allowed and weaken backups.';
