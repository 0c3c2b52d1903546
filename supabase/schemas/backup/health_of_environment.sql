create or replace function backup._backup_schedule()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not backup._platform_has('cron.job') then
        return null;
    end if;
    return (select j.schedule from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() and j.username = current_user order by j.active desc limit 1);
end;
$$;

comment on function backup._backup_schedule is 'Returns the schedule of the job that starts backups, or null.';

create or replace function backup._check_jobs()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    job record;
    details record;
    schedule_again constant text := 'For Sundays at three, UTC, run: select backup.schedule(''0 3 * * 0'')';
begin
    if not backup._platform_has('cron.job') then
        return next backup._reason(
            'cron_missing', 'failing', 'pg_cron is not installed, so nothing starts backups',
            'Enable pg_cron under Integrations in the dashboard, then run: select backup.schedule(''0 3 * * 0''); select backup.schedule_check()'
        );
        return;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-weekly' and j.database = current_database() and j.username = current_user order by j.active desc limit 1;
    if not found then
        return next backup._reason('job_missing', 'failing', 'No job starts backups: cron.job has no backup-weekly', schedule_again);
    elsif not job.active then
        return next backup._reason(
            'job_inactive', 'failing', 'The job that starts backups is disabled', format('Run: select cron.alter_job(%s, active := true)', job.jobid)
        );
    elsif job.command !~ 'backup\.start\(' then
        return next backup._reason(
            'job_changed', 'failing', format('The job backup-weekly runs something else: %s', left(job.command, 100)), schedule_again
        );
    elsif backup._interval_of(job.schedule) is null then
        return next backup._reason(
            'schedule_unclear', 'warning', format('The schedule "%s" of job backup-weekly is invalid or never fires', job.schedule), schedule_again
        );
    end if;
    if job.jobid is not null and backup._platform_has('cron.job_run_details') then
        select d.status, d.return_message into details
        from cron.job_run_details d
        where d.jobid = job.jobid and d.status in ('succeeded', 'failed')
        order by d.runid desc
        limit 1;
        if details.status = 'failed' then
            return next backup._reason(
                'job_failed', 'failing', format('pg_cron could not run job backup-weekly: %s', left(details.return_message, 200)),
                'See: select * from cron.job_run_details order by runid desc limit 20'
            );
        end if;
    end if;
    select j.* into job from cron.job j where j.jobname = 'backup-daily' and j.database = current_database() and j.username = current_user order by j.active desc limit 1;
    if not coalesce(job.active, false) then
        return next backup._reason(
            'check_missing', 'warning', 'The daily check does not run: job backup-daily is missing or disabled', 'Run: select backup.schedule_check()'
        );
    elsif (select max(e.seen_at) from backup.events e) < now() - interval '50 hours' then
        return next backup._reason(
            'check_silent', 'warning',
            format('The daily check last ran %s', (select max(e.seen_at) from backup.events e)),
            'pg_cron does not run it. See: select * from cron.job_run_details order by runid desc limit 20'
        );
    end if;
end;
$$;

comment on function backup._check_jobs is 'Checks that pg_cron will start the next backup.';

create or replace function backup._check_environment()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    settings backup.settings;
    bucket record;
    waiting bigint;
    stored numeric;
begin
    -- A session may set it for itself; only the server and the database set it for everybody.
    if pg_is_in_recovery() or exists (
        select from pg_settings s
        where s.name = 'default_transaction_read_only' and s.setting = 'on' and s.source in ('configuration file', 'command line', 'database')
    ) then
        return next backup._reason(
            'database_read_only', 'failing', 'The database is read-only, so no backup can start or end',
            'Supabase does so when the disk is nearly full. Free space or enlarge the disk (Settings, Database), and see its guide on read-only mode.'
        );
    end if;
    select s.* into settings from backup.settings s;
    if settings.function_url is null then
        return next backup._reason(
            'not_configured', 'failing', 'function_url is not set, so no backup can start',
            'Run: select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    end if;
    if not backup._platform_has('net.http_post(text, jsonb, jsonb, jsonb, integer)') then
        return next backup._reason(
            'net_missing', 'failing', 'pg_net is not installed, so nothing can call the function', 'Enable pg_net under Integrations in the dashboard.'
        );
    elsif backup._net_trigger() is not null then
        return next backup._reason(
            'net_unsafe', 'failing', format('The trigger "%s" on net.http_request_queue would run with our rights, so the function is not called', backup._net_trigger()),
            format('Run: drop trigger %I on net.http_request_queue. Find out who created it: any role can.', backup._net_trigger())
        );
    else
        -- More than the worker takes in one batch.
        select count(*) into waiting from net.http_request_queue;
        if waiting > 200 then
            return next backup._reason(
                'net_stuck', 'warning', format('%s requests wait in pg_net''s queue', waiting),
                'If the number does not fall, run: select net.worker_restart()'
            );
        end if;
    end if;
    if not backup._platform_has('storage.buckets') then
        return next backup._reason('storage_missing', 'failing', 'This database has no Storage', 'Install the backup in a Supabase project.');
        return;
    end if;
    select b.public, b.file_size_limit into bucket from storage.buckets b where b.id = settings.bucket;
    if not found then
        return next backup._reason(
            'bucket_missing', 'failing', format('Bucket "%s" does not exist', settings.bucket),
            format('Run: insert into storage.buckets (id, name, public) values (%1$L, %1$L, false)', settings.bucket)
        );
    elsif bucket.public then
        return next backup._reason(
            'bucket_public', 'failing', format('Bucket "%s" is public, so anybody who guesses a name downloads the whole database', settings.bucket),
            format('Run: update storage.buckets set public = false where id = %L', settings.bucket)
        );
    elsif bucket.file_size_limit < settings.part_bytes then
        return next backup._reason(
            'bucket_limit', 'failing',
            format('The bucket''s limit for a file is %s bytes, but parts have up to %s', bucket.file_size_limit, settings.part_bytes),
            format('Run: update storage.buckets set file_size_limit = 524288000 where id = %L', settings.bucket)
        );
    end if;
    select sum((o.metadata ->> 'size')::bigint) into stored
    from storage.objects o
    where o.bucket_id = settings.bucket and o.metadata ->> 'size' ~ '^[0-9]{1,18}$';
    if stored > 800000000 then
        return next backup._reason(
            'space', 'info', format('The backups use %s MB of Storage; the free plan has 1 GB for everything', round(stored / 1e6)),
            'To keep fewer, run select backup.configure(keep_scheduled => 2), then supabase-backup prune.'
        );
    end if;
end;
$$;

comment on function backup._check_environment is
    'Checks that a run can reach the function, and that the bucket can take a backup.';

create or replace function backup._check_settings()
returns setof jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select backup._reason(rule.code, 'warning', rule.message, rule.hint)
    from backup.settings s,
        lateral (
            values
                (
                    s.keep_scheduled + s.keep_weekly + s.keep_monthly + s.keep_yearly < 2, 'keeps_one',
                    'Only one scheduled backup is kept, so damage from before it cannot be undone',
                    'Run: select backup.configure(keep_scheduled => 4)'
                ),
                (
                    s.lock_timeout_ms > 100000, 'lock_timeout_long',
                    format('A backup waits %s s for a locked table; an invocation on the free plan ends after 150 s', s.lock_timeout_ms / 1000),
                    'Run: select backup.configure(lock_timeout_ms => 10000)'
                ),
                (
                    s.max_attempts = 1, 'one_attempt', 'A run has one attempt, so one restart of a worker ends it',
                    'Run: select backup.configure(max_attempts => 3)'
                ),
                (
                    s.lease_seconds > 600, 'lease_long', format('A worker that hangs is noticed only after %s s', s.lease_seconds),
                    'Run: select backup.configure(lease_seconds => 60)'
                ),
                (
                    s.budget_halvings >= 3, 'workers_die', format('Workers reached their limits, and the budgets were halved %s times', s.budget_halvings),
                    'Check the logs of the function for limits of CPU or memory. See how attempts ended with: select attempts from backup.log'
                )
        ) rule (broken, code, message, hint)
    where rule.broken;
$$;

comment on function backup._check_settings is 'Checks for settings that are allowed but weaken backups.';
