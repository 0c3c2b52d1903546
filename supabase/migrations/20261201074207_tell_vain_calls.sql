SET local check_function_bodies = off;

DROP FUNCTION "backup"."_unreachable"(bigint, jsonb);

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
            'hint', format('Run: update storage.buckets set file_size_limit = 524288000 where id = %L', run.settings ->> 'bucket')
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
    if run.progress ? 'problem' then
        return next backup._reason(
            'run_waits', 'warning',
            format('Run %s (%s) waits for the function: %s', run.id, run.name, run.progress #>> '{problem,message}'),
            run.progress #>> '{problem,hint}'
        );
    end if;
    if run.id is not null and greatest(run.heartbeat_at, run.started_at) < now() - interval '15 minutes' then
        return next backup._reason(
            'run_silent', 'failing',
            format('Run %s (%s) has sent no heartbeat since %s', run.id, run.name, greatest(run.heartbeat_at, run.started_at)),
            format('The daily check ends it. To end it now: select backup.cancel(%s)', run.id)
        );
    elsif run.id is null then
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

CREATE OR REPLACE FUNCTION backup._note_vain_calls (
  run    backup.log,
  vain   bigint,
  answer jsonb
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    update backup.log l
    set progress = l.progress || jsonb_build_object('problem', backup._vain_answer(answer) - 'refused')
    where l.id = run.id
        and (vain > 0 or run.heartbeat_at is null and answer ->> 'status' not like '2%')
        and not exists (select from backup.live_workers w where w.run_id = run.id and w.working);
$function$;

CREATE OR REPLACE FUNCTION backup._reconcile_run (
  run_id bigint
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._lock_run(run_id);
    calls record;
    error jsonb;
    unfinished bigint;
    wanted bigint;
    working bigint;
begin
    if run.finished_at is not null then
        return;
    end if;
    perform backup._collect_responses(run_id);
    select c.* into calls from backup._call_status('run', run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return;
    end if;
    perform backup._note_vain_calls(run, calls.vain, calls.answer);
    error := backup._attempt_error(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return;
        end if;
        run := backup._lock_run(run_id);
    end if;
    if backup._is_postponed(run) then
        return;
    end if;
    select count(*) into unfinished from backup.slices s where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared.
    wanted := greatest(1, least(unfinished, (run.settings ->> 'workers')::bigint));
    select count(*) into working from backup.live_workers w where w.run_id = run.id and w.working;
    for i in 1 .. (wanted - working - calls.expected)::integer loop
        perform backup._call('run', run.id);
    end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._register (
  run_id      bigint,
  worker      uuid,
  backend_pid integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._lock_run(run_id);
    session_start timestamptz;
    role text := 'none';
    stuck jsonb;
    public_bucket jsonb;
begin
    -- The call has done its duty, whatever becomes of the worker.
    perform backup._link_call('run', _register.run_id, worker);
    -- backup.watch() runs as the owner of the schema: a session that the owner cannot see would look dead to
    -- everybody but itself.
    select a.backend_start into session_start
    from pg_catalog.pg_stat_activity a, pg_catalog.pg_namespace n
    where a.pid = backend_pid
        and n.nspname = 'backup'
        and (pg_has_role(n.nspowner, a.usesysid, 'usage') or pg_has_role(n.nspowner, 'pg_read_all_stats', 'usage'));
    if session_start is null then
        raise exception 'Cannot register worker % for run %: no session has process %', worker, run_id, backend_pid
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Connect to the database directly, as the owner of the schema backup. A pooler in transaction mode hides the session.';
    end if;
    -- Registering for an attempt whose snapshot is lost begins the next one.
    stuck := backup._attempt_error(run);
    if run.finished_at is null and stuck ->> 'code' = 'snapshot_lost' then
        perform backup._end_attempt(run, stuck, true);
        run := backup._lock_run(run_id);
    end if;
    public_bucket := backup._public_bucket(run.settings ->> 'bucket');
    if run.finished_at is null and public_bucket is not null then
        perform backup._end_attempt(run, public_bucket, false);
        run := backup._lock_run(run_id);
    end if;
    if run.finished_at is null then
        role := backup._assign_role(run, worker);
    end if;
    if role <> 'none' then
        -- A worker that returns for another attempt, from another session or after it left is a new one: its former
        -- snapshot must not be offered to anybody.
        delete from backup.workers w
        where w.id = worker
            and (
                w.left_at is not null
                or (w.run_id, w.attempt, w.backend_pid, w.backend_start) <> (run.id, run.attempt, _register.backend_pid, session_start)
            );
        insert into backup.workers (id, run_id, attempt, role, backend_pid, backend_start, lease_until)
        values (worker, run.id, run.attempt, role, backend_pid, session_start, backup._lease(run))
        on conflict (id) do update
        set role = excluded.role, lease_until = excluded.lease_until;
        update backup.log l
        set status = 'running',
            phase = coalesce(l.phase, 'planning'),
            heartbeat_at = clock_timestamp(),
            progress = l.progress - 'problem',
            invocations = (select count(*) from backup.workers w where w.run_id = run.id)
        where l.id = run.id
        returning l.* into run;
    end if;
    return jsonb_build_object(
        'role', role,
        'run', jsonb_build_object(
            'id', run.id, 'name', run.name, 'attempt', run.attempt, 'trigger', run.trigger, 'started_at', run.started_at
        ),
        'snapshots', coalesce((
            select jsonb_agg(w.snapshot order by w.held_at desc)
            from backup.live_workers w
            where w.run_id = run.id and w.held_at is not null and w.id <> worker
        ), '[]'),
        'settings', run.settings
    );
end;
$function$;

CREATE OR REPLACE FUNCTION backup._unreachable (
  vain   bigint,
  answer jsonb
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select (problem - 'refused') || jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('The function did not begin work after %s calls: %s', vain, problem ->> 'message')
    )
    from backup._vain_answer(answer) problem
    where vain >= case when (problem ->> 'refused')::boolean then 2 else 5 end;
$function$;

CREATE OR REPLACE FUNCTION backup._vain_answer (
  answer jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    status integer := (answer ->> 'status')::integer;
    -- The function's own answer when it cannot look up the token, for whatever reason.
    unknown_token boolean := coalesce(status = 401 and answer ->> 'body' like '%"unauthorized"%', false);
    -- Half of an upgrade is done: the other half may follow in a minute.
    other_version boolean := coalesce(status = 409 and answer ->> 'body' like '%"version_mismatch"%', false);
begin
    return jsonb_build_object(
        'refused', coalesce(status between 400 and 499 and status not in (408, 429), false) and not unknown_token and not other_version,
        'message', case
            when answer is null then 'pg_net has no response'
            when status is null then coalesce(answer ->> 'error', 'pg_net has an empty response')
            else format('it answered %s %s', status, answer ->> 'body')
        end,
        'hint', case
            when unknown_token then 'Check the logs of the function: it may not reach the database. If it does, check that function_url in backup.settings is this project''s.'
            when other_version then 'Finish the upgrade: run supabase db push, then supabase functions deploy backup.'
            when status in (401, 403) then 'Deploy the function with verify_jwt = false, as in supabase/config.toml (supabase functions deploy backup), '
                'and check that function_url in backup.settings is this project''s.'
            when status = 404 then 'Deploy the function (supabase functions deploy backup) and check function_url in backup.settings.'
            when status between 200 and 299 then 'The function answers but does not begin work. Check its logs, and that it reaches the database.'
            when status = 503 and answer ->> 'body' like '%BOOT_ERROR%' then 'The function does not start. Deploy it again (supabase functions deploy backup); its logs say why.'
            when status is not null then 'Check the logs of the function.'
            when answer is null then 'Check that pg_net works: select net.check_worker_is_up(), and restart it with select net.worker_restart().'
            else 'Check function_url in backup.settings, and that the function is deployed.'
        end
    );
end;
$function$;

CREATE OR REPLACE FUNCTION backup.is_schedule (
  schedule text
)
  RETURNS boolean
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    months constant text := 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
    days constant text := 'sun|mon|tue|wed|thu|fri|sat';
    plain text := lower(btrim(schedule, ' '));
    pattern text;
    field text[];
begin
    -- A field is a list of values, ranges and asterisks; a step follows a range or an asterisk, and is one of the
    -- field's numbers.
    select '^' || string_agg(format('(%s)(,(%1$s))*', format('%1$s|(\*|%1$s-%1$s)(/(?!0?0\M)(%2$s))?', '(' || concat_ws('|', number, name) || ')', number)), ' +') || '$'
    into pattern
    from (
        values
            ('[0-5]?[0-9]', null),
            ('[01]?[0-9]|2[0-3]', null),
            ('0?[1-9]|[12][0-9]|3[01]', null),
            ('0?[1-9]|1[0-2]', months),
            ('0?[0-7]', days)
    ) field (number, name);
    if plain is null or plain !~ pattern then
        return false;
    end if;
    for number in 1 .. 12 loop
        plain := replace(plain, split_part(months, '|', number), number::text);
    end loop;
    for number in 0 .. 6 loop
        plain := replace(plain, split_part(days, '|', number + 1), number::text);
    end loop;
    if exists (select from regexp_matches(plain, '(\d+)-(\d+)', 'g') range where range[1]::integer > range[2]::integer) then
        return false;
    end if;
    -- The 30th of February never comes, and a day of the week that begins with an asterisk does not stand in for it.
    field := regexp_split_to_array(plain, ' +');
    return field[5] not like '*%' or (
        select min(coalesce(substring(item from '^\d+')::integer, 1)) from regexp_split_to_table(field[3], ',') item
    ) <= (
        select max(case when month = 2 then 29 when month in (4, 6, 9, 11) then 30 else 31 end)
        from regexp_split_to_table(field[4], ',') item,
            lateral regexp_match(replace(item, '*', '1-12'), '^(\d+)(?:-(\d+))?(?:/(\d+))?$') part,
            lateral generate_series(part[1]::integer, coalesce(part[2], part[1])::integer, coalesce(part[3], '1')::integer) month
    );
end;
$function$;

CREATE OR REPLACE FUNCTION backup.version()
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select '0.2.0';
$function$;

COMMENT ON COLUMN "backup"."log"."progress" IS 'slices, slices_done, expected_invocations, estimated_bytes, estimated_bytes_done, raw_bytes, stored_bytes, rows, workers, and what they do; problem {message, hint} while no call of the function comes to anything.';

COMMENT ON FUNCTION "backup"."_note_vain_calls"(backup.log, bigint, jsonb) IS 'Writes into the log why no worker has come, for those who look while the run waits. The next heartbeat removes it.';

COMMENT ON FUNCTION "backup"."_unreachable"(bigint, jsonb) IS 'Returns the error of a run whose calls come to nothing, or null: after five calls in vain, or two when the function is missing or wrongly deployed.';

COMMENT ON FUNCTION "backup"."_vain_answer"(jsonb) IS 'Returns what the answer to a call that came to nothing means: {message, hint}, and whether the function refused it, so that another try would not help.';

REVOKE ALL ON FUNCTION "backup"."_note_vain_calls"(backup.log, bigint, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_unreachable"(bigint, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_vain_answer"(jsonb) FROM PUBLIC;
