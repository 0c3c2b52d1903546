SET local check_function_bodies = off;

ALTER TABLE "backup"."workers"
  ADD COLUMN IF NOT EXISTS "retired_at" timestamp WITH time zone;

ALTER TABLE "backup"."workers"
  ADD COLUMN IF NOT EXISTS "facts" jsonb;

ALTER TABLE "backup"."settings"
  ALTER COLUMN "invocation_bytes" SET DEFAULT 100000000;

ALTER TABLE "backup"."settings"
  ALTER COLUMN "slice_bytes" SET DEFAULT 20000000;

CREATE OR REPLACE FUNCTION backup._answer_code (
  answer jsonb
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select substring(answer ->> 'body' from '"code" *: *"(busy|call_repeated|database_unreachable|not_configured|unauthorized)"');
$function$;

CREATE OR REPLACE FUNCTION backup._assign_role (
  run    backup.log,
  worker uuid
)
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    others backup.live_workers[] := array(
        select w from backup.live_workers w where w.run_id = run.id and w.id <> worker and w.working
    );
begin
    if not exists (select from backup.plans p where p.run_id = run.id) then
        return case when cardinality(others) = 0 then 'plan' else 'none' end;
    end if;
    if not exists (select from backup.slices s where s.run_id = run.id and s.finished_at is null) then
        return case when exists (select from unnest(others) o join backup.workers w on w.id = o.id where o.role = 'finish' and w.retired_at is null) then 'none' else 'finish' end;
    end if;
    if (select count(*) from unnest(others) o join backup.workers w on w.id = o.id where w.retired_at is null) >= (run.settings ->> 'workers')::integer then
        return 'none';
    end if;
    -- Slices that others work on need no further worker.
    return case
        when exists (
            select
            from backup.slices s
            where s.run_id = run.id
                and s.finished_at is null
                and not exists (select from unnest(others) o where o.id = s.worker)
        ) then 'export'
        else 'none'
    end;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._call_status (
  purpose text,
  run_id  bigint,
  OUT     expected bigint,
  OUT     vain bigint,
  OUT     answer jsonb
)
  RETURNS record
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    with calls as (
        select
            c.created_at,
            c.answer,
            c.worker is null and case
                -- It reached an isolate that is already busy; the next call may reach another one.
                when backup._answer_code(c.answer) = 'busy' then c.created_at > clock_timestamp() - interval '1 second'
                -- Refused or not delivered: wait a little before the next call, not longer. A call that arrived twice
                -- is under way.
                when backup._answer_code(c.answer) is distinct from 'call_repeated'
                    and (c.answer ->> 'status' not like '2%' or c.answer ? 'error') then c.created_at > clock_timestamp() - interval '5 seconds'
                -- Under way: pg_net's queue, a cold start, two connections.
                else greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            end as expected,
            c.worker is not null as entered
        from backup.calls c
        where c.purpose = _call_status.purpose and c.run_id is not distinct from _call_status.run_id
    )
    select
        count(*) filter (where c.expected),
        count(*) filter (
            where not c.expected and not c.entered
                and c.created_at > coalesce((select coalesce(l.heartbeat_at, l.started_at) from backup.log l where l.id = _call_status.run_id), '-infinity')
        ),
        (array_agg(c.answer order by c.created_at desc) filter (where c.answer is not null and not c.entered))[1]
    from calls c;
$function$;

CREATE OR REPLACE FUNCTION backup._check_platform()
  RETURNS SETOF jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    facts jsonb := backup._platform_facts();
    exposed jsonb;
begin
    select warning into exposed
    from (
        select l.warnings from backup.log l where l.status = 'succeeded'
        order by backup._is_future(l.started_at), l.started_at desc limit 1
    ) newest, jsonb_array_elements(newest.warnings) warning
    where warning ->> 'code' = 'not_encrypted';
    if found then
        return next backup._reason(
            'not_encrypted', 'warning', exposed ->> 'message',
            'Set the function''s secret BACKUP_DB_CA to the certificate of the database''s authority, which the dashboard has in the database settings.'
        );
    end if;
    if facts ->> 'uploads' like 'fetch:%' then
        return next backup._reason(
            'uploads_by_fetch', 'info', format('Parts are uploaded by fetch, which costs more CPU, instead of our own client (%s)', facts ->> 'uploads'),
            'Nothing is wrong with the backups. Please report it, because it was not seen before.'
        );
    end if;
    if (facts ->> 'ended_at_a_limit')::bigint > 0 then
        return next backup._reason(
            'isolates_ended', 'info',
            format('The platform ended %s invocations of run %s at a limit, and others took over', facts ->> 'ended_at_a_limit', facts ->> 'run'),
            'If it happens in each run, lower invocation_bytes with backup.configure().'
        );
    end if;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._collect_responses (
  run_id bigint
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
    if not backup._platform_has('net._http_response') then
        return;
    end if;
    -- The times are compared because pg_net starts again at 1 after a crash: an older response can have the same
    -- number.
    update backup.calls c
    set answer = jsonb_strip_nulls(jsonb_build_object('status', r.status_code, 'error', left(r.error_msg, 300), 'body', left(r.content, 1000)))
    from net._http_response r
    where c.run_id is not distinct from _collect_responses.run_id and c.answer is null and r.id = c.request_id and r.created > c.created_at - interval '1 minute';
end;
$function$;

CREATE OR REPLACE FUNCTION backup._is_redeemed (
  token text
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select exists (
        select
        from backup.calls c
        where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is not null and c.expires_at > clock_timestamp()
    );
$function$;

CREATE OR REPLACE FUNCTION backup._platform_facts()
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    select jsonb_build_object(
        'run', l.name,
        'encrypted', (select bool_and((w.facts ->> 'encrypted')::boolean) from backup.workers w where w.run_id = l.id),
        'uploads', coalesce(
            (select 'fetch: ' || max(w.facts ->> 'uploads') from backup.workers w where w.run_id = l.id), 'own client'
        ),
        'worst_cpu_ms', (select max((w.facts ->> 'cpu_ms')::numeric)::bigint from backup.workers w where w.run_id = l.id),
        'ended_at_a_limit', (
            select count(*)
            from backup.workers w
            where w.run_id = l.id and (
                w.error ->> 'code' = 'worker_ended'
                or w.left_at is null and not exists (select from backup.live_workers live where live.id = w.id)
            )
        ),
        'hides_errors', (
            select bool_or(backup._told_error(c.answer) is null)
            from backup.calls c
            where c.run_id = l.id and c.answer ->> 'status' like '5%'
        )
    )
    from backup.log l
    where exists (select from backup.workers w where w.run_id = l.id and w.facts is not null)
    order by l.id desc
    limit 1;
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
    unclaimed bigint;
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
    -- A worker whose isolate is retired finishes the slice that it has, beside its successor.
    select
        count(*),
        count(*) filter (where not exists (
            select from backup.live_workers live join backup.workers w on w.id = live.id
            where live.id = s.worker and live.working and w.retired_at is not null
        ))
    into unfinished, unclaimed
    from backup.slices s
    where s.run_id = run.id and s.finished_at is null;
    -- One worker plans and one finishes; only slices can be shared. Where the platform gives calls to an isolate that
    -- is at work, it has one that takes calls at a time, and more calls would only meet that one.
    wanted := case
        when unfinished = 0 then 1
        when exists (select from backup.calls c where c.run_id = run.id and backup._answer_code(c.answer) = 'busy') then least(unclaimed, 1)
        else least(unclaimed, (run.settings ->> 'workers')::bigint)
    end;
    select count(*) into working
    from backup.live_workers live join backup.workers w on w.id = live.id
    where live.run_id = run.id and live.working and w.retired_at is null;
    for i in 1 .. (wanted - working - calls.expected)::integer loop
        perform backup._call('run', run.id);
    end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._report_facts (
  run_id bigint,
  worker uuid,
  facts  jsonb
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    update backup.workers w
    set facts = coalesce(w.facts, '{}') || _report_facts.facts
    where w.id = worker and w.run_id = _report_facts.run_id;
$function$;

CREATE OR REPLACE FUNCTION backup._retire (
  run_id bigint,
  worker uuid
)
  RETURNS boolean
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._lock_run(run_id);
begin
    if not backup._renew_lease(run, worker) then
        return false;
    end if;
    update backup.workers w set retired_at = clock_timestamp() where w.id = worker and w.retired_at is null;
    if found then
        perform backup._reconcile_run(run.id);
    end if;
    return true;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._told_error (
  answer jsonb
)
  RETURNS jsonb
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    body jsonb;
begin
    body := (answer ->> 'body')::jsonb;
    if body ->> 'code' is null or body ->> 'message' is null then
        return null;
    end if;
    return jsonb_build_object('code', body ->> 'code', 'message', body ->> 'message', 'hint', body ->> 'hint');
exception
    -- A page of the platform, or the beginning of a long answer.
    when invalid_text_representation then
        return null;
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
    select jsonb_build_object(
        'code', 'function_unreachable',
        'message', format('The function did not begin work after %s calls: %s', vain, problem ->> 'message'),
        'hint', problem -> 'hint'
    ) || case when problem ? 'code' then problem - 'refused' else '{}' end
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
    unknown_token boolean := status = 401 and backup._answer_code(answer) is not distinct from 'unauthorized';
    -- Half of an upgrade is done: the other half may follow in a minute.
    other_version boolean := coalesce(status = 409 and answer ->> 'body' like '%"version_mismatch"%', false);
    told jsonb := case when backup._answer_code(answer) in ('database_unreachable', 'not_configured') then backup._told_error(answer) end;
begin
    if told is not null then
        return told || jsonb_build_object('refused', true);
    end if;
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

CREATE OR REPLACE FUNCTION backup.examine()
  RETURNS TABLE (
    verdict    text,
    reasons    jsonb,
    facts      jsonb,
    checked_at timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
    with found as (
        select reason, array_position('{failing,warning,info}', reason ->> 'severity') as rank
        from (
            select backup._check_runs(backup._backup_schedule())
            union all
            select backup._check_jobs()
            union all
            select backup._check_environment()
            union all
            select backup._check_shrinkage()
            union all
            select backup._check_contents()
            union all
            select backup._check_drills()
            union all
            select backup._check_settings()
            union all
            select backup._check_alerts()
            union all
            select backup._check_copies()
            union all
            select backup._check_platform()
        ) all_reasons (reason)
    )
    select
        coalesce((array['failing', 'warning'])[min(rank)], 'ok'),
        jsonb_agg(reason order by rank, reason ->> 'code'),
        (
            select jsonb_build_object(
                'newest_backup', (select b.name from backup._stored_backups() b where b.whole is not false limit 1),
                'backups', (select count(*) from backup._stored_backups() b where b.whole is not false),
                'schedule', backup._backup_schedule(),
                'longest_wait', backup._interval_of(backup._backup_schedule()),
                'bucket', s.bucket,
                'last_drill', (select max(d.started_at) from backup.drills d),
                'platform', backup._platform_facts()
            )
            from backup.settings s
        ),
        now()
    from found;
$function$;

COMMENT ON COLUMN "backup"."settings"."invocation_bytes" IS 'COPY text that one invocation exports: what fits into the CPU of an isolate''s life with a margin.';

COMMENT ON COLUMN "backup"."settings"."workers" IS 'Invocations that export at the same time; each is joined by its successor before it ends.';

COMMENT ON COLUMN "backup"."workers"."facts" IS 'What it found out about the platform: encrypted (its connection to the database), uploads (why fetch uploads instead of our own client, or null), cpu_ms (an estimate of what its isolate has used).';

COMMENT ON COLUMN "backup"."workers"."retired_at" IS 'When its isolate had used so much CPU that the platform gives it no further calls, so its successor was called.';

COMMENT ON FUNCTION "backup"."_answer_code"(jsonb) IS 'Returns the code of the function''s own answer to a call, of those that make a difference here.';

COMMENT ON FUNCTION "backup"."_check_platform"() IS 'Checks what the last run found out about the platform.';

COMMENT ON FUNCTION "backup"."_is_redeemed"(text) IS 'Returns whether this token was used up and has not expired: its call arrived before.';

COMMENT ON FUNCTION "backup"."_platform_facts"() IS 'Returns what the last run found out about the platform: {run, encrypted, uploads, worst_cpu_ms, ended_at_a_limit, hides_errors}, or null. cpu_ms is an estimate of an isolate''s life; hides_errors says whether the bodies of 5xx answers were replaced, null where there were none.';

COMMENT ON FUNCTION "backup"."_report_facts"(bigint, uuid, jsonb) IS 'Records what a worker found out about the platform: {encrypted, uploads, cpu_ms}. May be repeated; later values win.';

COMMENT ON FUNCTION "backup"."_retire"(bigint, uuid) IS 'Calls the successor of a worker that goes on with what it has: its isolate gets no further calls, so the successor''s call cannot meet it. Returns false when the worker must stop at once.';

COMMENT ON FUNCTION "backup"."_told_error"(jsonb) IS 'Returns the error {code, message, hint} that the function gave as its answer to a call; null for any other answer.';

COMMENT ON FUNCTION "backup"."_vain_answer"(jsonb) IS 'Returns what the answer to a call that came to nothing means: {message, hint}, with the code of an error that the function told, and whether it refused, so that another try would not help.';

REVOKE ALL ON FUNCTION "backup"."_answer_code"(jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_check_platform"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_is_redeemed"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_platform_facts"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_report_facts"(bigint, uuid, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_retire"(bigint, uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_told_error"(jsonb) FROM PUBLIC;

-- The one row of settings, with its defaults.
insert into backup.settings default values
on conflict (id) do nothing;

-- Whoever never changed the budgets of 0.1.0 gets those of this version.
update backup.settings
set slice_bytes = default, invocation_bytes = default
where slice_bytes = 32000000 and invocation_bytes = 80000000;

comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.purpose is 'run, copy, alert or restore.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';

comment on column backup.health.verdict is
    'ok, warning (look into it) or failing (there is, or soon will be, no backup to go back to).';
comment on column backup.health.reasons is
    'Why: code, severity, message, hint; the worst first. Those of severity info do not count.';
comment on column backup.health.facts is 'newest_backup, backups, schedule, longest_wait, bucket, last_drill.';
comment on column backup.health.checked_at is 'When it was looked at: now.';
