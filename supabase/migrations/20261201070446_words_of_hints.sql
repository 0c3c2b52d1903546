SET local check_function_bodies = off;

CREATE OR REPLACE FUNCTION backup._capacity_error (
  run             backup.log,
  estimated_bytes bigint
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    part_bytes bigint := run.settings ->> 'part_bytes';
    quota bigint := run.settings ->> 'storage_quota_bytes';
    file_limit bigint;
    stored numeric;
    expected numeric;
begin
    if not backup._platform_has('storage.buckets') then
        return null;
    end if;
    select b.file_size_limit into file_limit from storage.buckets b where b.id = run.settings ->> 'bucket';
    if file_limit < part_bytes then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store parts of up to %s bytes in bucket "%s": its limit is %s bytes', part_bytes, run.settings ->> 'bucket', file_limit
            ),
            'hint', format('Run: select backup.configure(part_bytes => %s). Or raise the limit of the bucket.', file_limit)
        );
    end if;
    select estimated_bytes * l.stored_bytes::numeric / l.raw_bytes into expected
    from backup.log l
    where l.status = 'succeeded' and l.raw_bytes > 0
    order by l.id desc
    limit 1;
    -- A row of Storage may have anything as its size.
    select coalesce(sum((o.metadata ->> 'size')::bigint), 0) into stored from storage.objects o where o.metadata ->> 'size' ~ '^[0-9]{1,18}$';
    if quota > 0 and stored + expected > quota then
        return jsonb_build_object(
            'code', 'too_large',
            'message', format(
                'Cannot store the backup: it needs about %s, and Storage already holds %s of its %s',
                pg_size_pretty(expected), pg_size_pretty(stored), pg_size_pretty(quota)
            ),
            'hint', 'Old backups stay until the new one is verified. Keep fewer with backup.configure(keep_scheduled => 2) and supabase-backup prune, '
                'remove files, or raise storage_quota_bytes with the project''s plan.'
        );
    end if;
    return null;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_alerts()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    channel record;
    since timestamptz;
begin
    if not exists (select from backup.channels c where c.state <> 'off') then
        return next backup._reason(
            'no_alerts', 'info', 'No alert channel is configured, so nobody is notified when a backup fails',
            'Configure one as in docs/alerts.md, and try it with supabase-backup alerts test.'
        );
    end if;
    for channel in select c.name, c.problem from backup.channels c where c.state = 'wrong' order by c.name loop
        return next backup._reason(
            'channel_wrong', 'warning', format('Alert channel %s is misconfigured: %s', channel.name, channel.problem),
            'Run: supabase secrets set NAME=value, as in docs/alerts.md. Then run: supabase-backup alerts test'
        );
    end loop;
    -- An hour of failures is more than a hiccup. Any success since then, also of a test, clears it.
    for channel in
        select c.name, failed.first_at, failed.last_error
        from backup.channels c
        cross join lateral (
            select min(a.made_at) as first_at, (array_agg(a.error order by a.id desc))[1] as last_error
            from backup.alerts a
            where a.channel = c.name
                and a.outcome = 'failed'
                and a.made_at > greatest(c.since, (select max(s.made_at) from backup.alerts s where s.channel = c.name and s.outcome = 'sent'))
        ) failed
        where c.state = 'on' and failed.first_at < now() - interval '1 hour'
        order by c.name
    loop
        return next backup._reason(
            'alerts_fail', 'warning',
            format('Alert channel %s has failed since %s: %s', channel.name, date_trunc('second', channel.first_at), channel.last_error),
            'Run supabase-backup alerts test to see what it answers now.'
        );
    end loop;
    select min(c.created_at) into since
    from backup.calls c
    where c.purpose = 'alert' and c.created_at > coalesce((select max(r.reported_at) from backup.channels r), '-infinity');
    if since < now() - interval '1 hour' then
        return next backup._reason(
            'function_silent', 'warning', format('The function has not answered calls for alerts since %s', date_trunc('second', since)),
            'Check that it is deployed, and its logs. See pg_net''s responses with: select * from net._http_response order by id desc limit 5'
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_drills()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    drill backup.drills;
    hint constant text := 'Run supabase-backup drill, which restores the newest backup into a scratch database and compares them. docs/drill.yml does it on a schedule.';
    since timestamptz := (select min(l.started_at) from backup.log l where l.status = 'succeeded');
begin
    select d.* into drill from backup.drills d order by d.started_at desc limit 1;
    if drill.failed > 0 then
        return next backup._reason(
            'drill_failed', 'failing',
            format('The drill of %s on %s found %s failures', drill.name, drill.started_at::date, drill.failed),
            'See: select checks from backup.drills order by started_at desc limit 1'
        );
    elsif drill.id is null and since is not null then
        return next backup._reason(
            'never_drilled', case when since < now() - interval '30 days' then 'warning' else 'info' end,
            'No backup has ever been restored in a drill', hint
        );
    elsif drill.started_at < now() - interval '100 days' then
        return next backup._reason(
            'drill_old', 'warning', format('The last drill was %s days ago', extract(day from now() - drill.started_at)), hint
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_environment()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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
            format('Run: select backup.configure(part_bytes => %s). Or raise the limit of the bucket.', bucket.file_size_limit)
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
$function$;

CREATE OR REPLACE FUNCTION backup._check_runs (
  schedule text
)
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    -- Without a valid schedule, a week is assumed.
    wait interval := coalesce(backup._interval_of(schedule), interval '7 days');
    newest record;
    run backup.log;
    lost text;
begin
    select b.name, b.started_at into newest from backup._stored_backups() b where b.whole is not false limit 1;
    if not found then
        return next backup._reason(
            'no_backup', 'failing', 'No verified backup exists',
            'Run supabase-backup backup or select backup.start(). See earlier runs with: select * from backup.log order by started_at desc'
        );
    elsif backup._is_future(newest.started_at) then
        return next backup._reason(
            'clock_wrong', 'warning',
            format('The newest verified backup, %s, began in the future: the clock was or is wrong, so its age is unknown', newest.name),
            'Check the server''s clock (select now()), then make another backup: supabase-backup backup'
        );
    elsif newest.started_at < now() - wait - interval '1 day' then
        return next backup._reason(
            'late', 'failing',
            format(
                'The newest verified backup, %s, is %s days old, but the schedule makes one every %s',
                newest.name, extract(day from now() - newest.started_at), wait
            ),
            case
                when exists (select from backup.log l where l.trigger = 'scheduled' and l.started_at > newest.started_at) then
                    'The runs since then did not succeed: select * from backup.log order by started_at desc'
                else 'pg_cron has started none since then: select * from cron.job_run_details order by runid desc limit 20'
            end
        );
    end if;
    -- A start that was refused because another run was active says nothing, and a person who cancels a run knows it.
    select l.* into run
    from backup.log l
    where l.status in ('succeeded', 'failed') and l.error_code is distinct from 'run_active'
    order by backup._is_future(l.finished_at), l.finished_at desc, l.id desc
    limit 1;
    if run.status = 'failed' then
        return next backup._reason(
            'run_failed', 'failing',
            format('The last run, %s (%s), failed: %s', run.id, run.name, run.error_message),
            run.error_hint
        );
    end if;
    select l.* into run from backup.log l where l.finished_at is null;
    if found and greatest(run.heartbeat_at, run.started_at) < now() - interval '15 minutes' then
        return next backup._reason(
            'run_silent', 'failing',
            format('Run %s (%s) has sent no heartbeat since %s', run.id, run.name, greatest(run.heartbeat_at, run.started_at)),
            format('The daily check ends it. To end it now: select backup.cancel(%s)', run.id)
        );
    elsif not found then
        -- While a run rotates, a backup may be removed from the bucket but not yet from the log.
        select string_agg(b.name, ', ') into lost from backup._stored_backups() b where not b.whole;
        if lost is not null then
            return next backup._reason(
                'backup_lost', 'warning',
                format('Backups in the log are missing from the bucket or incomplete: %s', lost),
                'Somebody or something else removes objects from the bucket. Run supabase-backup verify --backup NAME to see what is missing.'
            );
        end if;
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._check_shrinkage()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    newest backup.log;
    earlier bigint[];
    usual record;
    tables text[];
begin
    select l.* into newest from backup.log l where l.status = 'succeeded' order by backup._is_future(l.started_at), l.started_at desc limit 1;
    earlier := array(
        select l.id
        from backup.log l
        where l.status = 'succeeded' and l.id <> newest.id
        order by backup._is_future(l.started_at), l.started_at desc
        limit 4
    );
    select
        percentile_disc(0.5) within group (order by l.rows) as rows,
        percentile_disc(0.5) within group (order by l.raw_bytes) as raw_bytes
    into usual
    from backup.log l
    where l.id = any (earlier);
    if usual.rows >= 100 and newest.rows * 2 < usual.rows or usual.raw_bytes >= 1000000 and newest.raw_bytes * 2 < usual.raw_bytes then
        return next backup._reason(
            'shrank', 'warning',
            format(
                '%s has %s rows (%s bytes); the %s before it had %s (%s bytes)',
                newest.name, newest.rows, newest.raw_bytes, cardinality(earlier), usual.rows, usual.raw_bytes
            ),
            'If this was not intended, keep an older backup now: select backup.pin(name). See docs/operations.md for how to restore.'
        );
    end if;
    if not exists (select from backup.table_rows t where t.run_id = newest.id) then
        return;
    end if;
    select array_agg(format('%I.%I (%s of %s rows)', u.schema, u.name, coalesce(t.rows, 0), u.rows) order by u.rows desc)
    into tables
    from (
        select o.schema, o.name, percentile_disc(0.5) within group (order by o.rows) as rows
        from backup.table_rows o
        where o.run_id = any (earlier)
        group by 1, 2
        -- A table that only some of them have is not a loss.
        having count(*) = (select count(distinct c.run_id) from backup.table_rows c where c.run_id = any (earlier))
    ) u
    left join backup.table_rows t on t.run_id = newest.id and t.schema = u.schema and t.name = u.name
    where u.rows >= 10 and coalesce(t.rows, 0) = 0 or u.rows >= 100 and t.rows * 2 < u.rows;
    if tables is not null then
        return next backup._reason(
            'tables_shrank', 'warning',
            format('%s tables in %s lost all or half of their rows: %s', cardinality(tables), newest.name, array_to_string(tables[1:5], ', '))
                || case when cardinality(tables) > 5 then ', …' else '' end,
            'If this was not intended, keep an older backup now: select backup.pin(name). supabase-backup restore --table restores single tables.'
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._rebuild_log (
  backups jsonb
)
  RETURNS TABLE (
    name    text,
    outcome text
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    stored jsonb;
    run backup.log;
begin
    perform backup._lock_starts();
    -- A restored database has the row of the run that made the backup, still active.
    perform backup._fail_abandoned_run();
    for stored in select b from jsonb_array_elements(backups) b order by b ->> 'name' loop
        name := stored ->> 'name';
        select l.* into run from backup.log l where l.name = stored ->> 'name';
        -- A restored database ends the run that made the backup as abandoned or cancelled; the manifest knows better.
        if run.id is not null and coalesce(run.error_code not in ('abandoned', 'cancelled'), true) then
            outcome := case
                when run.removed_at is not null then 'left: the log says that it was removed'
                when run.status = 'succeeded' then 'known'
                else format('left: the log says that its run is %s', run.status)
            end;
            return next;
            continue;
        end if;
        outcome := case when run.id is null then 'added' else 'corrected: its run ended early, but the backup is complete' end;
        insert into backup.log as l (
            name, trigger, status, started_at, finished_at, verified_at, server_version, tables, rows, raw_bytes, stored_bytes, parts, checksum, attempt,
            warnings, settings
        )
        values (
            stored ->> 'name',
            stored ->> 'trigger',
            'succeeded',
            to_timestamp(substring(stored ->> 'name' from '[0-9]{8}-[0-9]{6}') || ' +00', 'YYYYMMDD-HH24MISS TZH'),
            (stored ->> 'finished_at')::timestamptz,
            (stored ->> 'finished_at')::timestamptz,
            stored ->> 'server_version',
            (stored ->> 'tables')::bigint,
            (stored ->> 'rows')::bigint,
            (stored ->> 'raw_bytes')::bigint,
            (stored ->> 'stored_bytes')::bigint,
            (stored ->> 'parts')::bigint,
            stored ->> 'checksum',
            (stored ->> 'attempt')::integer,
            stored -> 'warnings' || '[{"code": "rebuilt", "object": "log", "message": "This row was created from the manifest"}]'::jsonb,
            jsonb_build_object('bucket', stored ->> 'bucket')
        )
        on conflict on constraint name_unique do update
        set status = excluded.status,
            phase = null,
            finished_at = excluded.finished_at,
            verified_at = excluded.verified_at,
            server_version = excluded.server_version,
            tables = excluded.tables,
            rows = excluded.rows,
            raw_bytes = excluded.raw_bytes,
            stored_bytes = excluded.stored_bytes,
            parts = excluded.parts,
            checksum = excluded.checksum,
            warnings = excluded.warnings,
            error_code = null,
            error_message = null,
            error_hint = null
        returning l.* into run;
        perform backup._replace_table_counts(run.id, stored -> 'table_rows');
        return next;
    end loop;
end;
$function$;

COMMENT ON COLUMN "backup"."alerts"."event_id" IS 'The event of backup.events; null for a test (supabase-backup alerts test).';

COMMENT ON TABLE "backup"."drills" IS 'One row for each drill: a backup restored into a scratch database and compared. Written by supabase-backup drill. select * from backup.drills order by started_at desc';
