SET local check_function_bodies = off;

DROP FUNCTION "backup"."_call_status"(text, bigint);

DROP FUNCTION "backup"."_retire"(bigint, uuid);

ALTER TABLE "backup"."calls"
  ALTER COLUMN "request_id" DROP NOT NULL;

CREATE OR REPLACE FUNCTION backup._call (
  purpose text,
  run_id  bigint DEFAULT NULL::bigint
)
  RETURNS bigint
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    token text;
    settings backup.settings;
    request bigint;
begin
    -- With this lock nobody can add a trigger between the check and the request.
    if backup._platform_has('net.http_request_queue') then
        lock table net.http_request_queue in row exclusive mode;
    end if;
    perform backup._require_function();
    select s.* into strict settings from backup.settings s;
    token := backup._issue_token(purpose, run_id);
    -- The function answers at once; the half minute is for its cold start. pg_net's default of five seconds is too
    -- short, and a pending request delays all later ones.
    request := net.http_post(
        url := settings.function_url,
        body := jsonb_strip_nulls(jsonb_build_object('run_id', run_id)),
        headers := jsonb_build_object('Content-Type', 'application/json', 'x-backup-token', token),
        timeout_milliseconds := 30000
    );
    update backup.calls c set request_id = request where c.hash = sha256(convert_to(token, 'UTF8'));
    return request;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._call_status (
  purpose text,
  run_id  bigint,
  OUT     expected bigint,
  OUT     busy bigint,
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
                -- A worker sends it itself, and says when it cannot, unless it dies.
                when c.request_id is null and c.used_at is null then
                    c.created_at > clock_timestamp() - interval '20 seconds' and c.expires_at > clock_timestamp()
                -- Under way: pg_net's queue, a cold start, two connections.
                else greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            end as expected,
            c.worker is null and backup._answer_code(c.answer) = 'busy' as busy,
            c.worker is not null as entered,
            c.request_id is null as own
        from backup.calls c
        where c.purpose = _call_status.purpose and c.run_id is not distinct from _call_status.run_id
    )
    select
        count(*) filter (where c.expected),
        count(*) filter (where c.expected and c.busy),
        count(*) filter (
            where not c.expected and not c.entered and not c.own
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
    if facts ->> 'calls' is not null then
        return next backup._reason(
            'calls_by_pg_net', 'info', format('Workers cannot call the function, so pg_net calls their successors, which takes longer (%s)', facts ->> 'calls'),
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

CREATE OR REPLACE FUNCTION backup._give_call_back (
  run_id bigint,
  worker uuid,
  token  text,
  reason text   DEFAULT NULL::text
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._lock_run(run_id);
begin
    -- Used up, it has arrived all the same.
    update backup.calls c
    set expires_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.run_id = run.id and c.request_id is null and c.used_at is null;
    if reason is not null then
        update backup.workers w
        set facts = coalesce(w.facts, '{}') || jsonb_build_object('calls', left(reason, 300))
        where w.id = worker and w.run_id = run.id;
    end if;
    perform backup._reconcile_run(run.id);
end;
$function$;

CREATE OR REPLACE FUNCTION backup._issue_token (
  purpose text,
  run_id  bigint DEFAULT NULL::bigint
)
  RETURNS text
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    -- Two random UUIDs are 244 random bits from the server's strong source.
    token text := purpose || '-' || gen_random_uuid()::text || gen_random_uuid()::text;
begin
    insert into backup.calls (hash, purpose, run_id, expires_at)
    select
        sha256(convert_to(token, 'UTF8')), _issue_token.purpose, _issue_token.run_id,
        clock_timestamp() + make_interval(secs => s.call_ttl_seconds)
    from backup.settings s;
    return token;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._missing_workers (
  run_id bigint
)
  RETURNS integer
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
        return 0;
    end if;
    perform backup._collect_responses(run_id);
    select c.* into calls from backup._call_status('run', run_id) c;
    error := backup._unreachable(calls.vain, calls.answer);
    if error is not null then
        perform backup._end_attempt(run, error, false);
        return 0;
    end if;
    perform backup._note_vain_calls(run, calls.vain, calls.answer);
    error := backup._attempt_error(run);
    if error is not null then
        if not backup._end_attempt(run, error, true) then
            return 0;
        end if;
        run := backup._lock_run(run_id);
    end if;
    if backup._is_postponed(run) then
        return 0;
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
    -- The isolate that was busy is free where nobody works any more.
    if not exists (select from backup.live_workers w where w.run_id = run.id and w.working) then
        calls.expected := calls.expected - calls.busy;
    end if;
    return greatest(wanted - working - calls.expected, 0);
end;
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
        'calls', (select max(w.facts ->> 'calls') from backup.workers w where w.run_id = l.id),
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
    missing integer := backup._missing_workers(run_id);
begin
    -- A retired worker calls its successor itself. A call by pg_net would only meet its isolate, and be waited for.
    if exists (
        select from backup.live_workers live join backup.workers w on w.id = live.id
        where live.run_id = _reconcile_run.run_id and live.working and w.retired_at is not null
    ) and not exists (select from backup.workers w where w.run_id = _reconcile_run.run_id and w.facts ? 'calls') then
        return;
    end if;
    for i in 1 .. missing loop
        perform backup._call('run', run_id);
    end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION backup._retire (
  run_id bigint,
  worker uuid,
  OUT    url text,
  OUT    token text
)
  RETURNS record
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
    run backup.log := backup._lock_run(run_id);
    missing integer;
begin
    if not backup._renew_lease(run, worker) then
        return;
    end if;
    update backup.workers w set retired_at = coalesce(w.retired_at, clock_timestamp()) where w.id = worker;
    missing := backup._missing_workers(run.id);
    -- A worker's own call arrives at once, and can be repeated as long as it meets a busy isolate: pg_net pauses for a
    -- second between batches, and its answers are seen later still.
    if missing > 0 and not exists (select from backup.workers w where w.run_id = run.id and w.facts ? 'calls') then
        select s.function_url into url from backup.settings s;
        token := backup._issue_token('run', run.id);
        missing := missing - 1;
    end if;
    for i in 1 .. missing loop
        perform backup._call('run', run.id);
    end loop;
end;
$function$;

COMMENT ON COLUMN "backup"."calls"."request_id" IS 'pg_net''s number of the request; null for a call that a worker sends itself. pg_net starts again at 1 after a crash.';

COMMENT ON COLUMN "backup"."workers"."facts" IS 'What it found out about the platform: encrypted (its connection to the database), uploads (why fetch uploads instead of our own client, or null), calls (why it could not call its successor), cpu_ms (an estimate of what its isolate has used), own_cpu_ms (what of it this worker has used).';

COMMENT ON FUNCTION "backup"."_call_status"(text, bigint) IS 'Returns how many calls may still produce a worker (expected), how many of these have just met a busy isolate (busy), how many since the run''s last heartbeat did not produce one (vain), and the last answer of those.';

COMMENT ON FUNCTION "backup"."_give_call_back"(bigint, uuid, text, text) IS 'Has pg_net call the successor that a worker could not call itself. The reason, unless the worker was stopped, keeps the other workers of the run from trying.';

COMMENT ON FUNCTION "backup"."_issue_token"(text, bigint) IS 'Records a call for this purpose and returns its one-time token.';

COMMENT ON FUNCTION "backup"."_missing_workers"(bigint) IS 'Compares what an active run needs with the workers it has and returns how many are to be called. Fails a run whose calls come to nothing, with what pg_net recorded; ends an attempt whose snapshot is lost or that makes no progress.';

COMMENT ON FUNCTION "backup"."_platform_facts"() IS 'Returns what the last run found out about the platform: {run, encrypted, uploads, calls, worst_cpu_ms, ended_at_a_limit, hides_errors}, or null. calls says why a worker could not call its successor, null where it could; worst_cpu_ms is an estimate of an isolate''s life; hides_errors says whether the bodies of 5xx answers were replaced, null where there were none.';

COMMENT ON FUNCTION "backup"."_reconcile_run"(bigint) IS 'Ends a run or an attempt that cannot go on, and has pg_net call the workers that an active run lacks. Doing it twice does no more than doing it once.';

COMMENT ON FUNCTION "backup"."_retire"(bigint, uuid) IS 'Calls the successor of a worker that goes on with what it has: its isolate gets no further calls, so the successor''s call cannot meet it. Returns the address and the one-time token for the worker to call it, or nulls when pg_net does or none is needed yet. May be repeated.';

REVOKE ALL ON FUNCTION "backup"."_call_status"(text, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_give_call_back"(bigint, uuid, text, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_issue_token"(text, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_missing_workers"(bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "backup"."_retire"(bigint, uuid) FROM PUBLIC;

comment on column backup.live_workers.id is 'The worker.';
comment on column backup.live_workers.purpose is 'run, copy, alert or restore.';
comment on column backup.live_workers.run_id is 'The run, or the backup that is being copied.';
comment on column backup.live_workers.role is 'In a run: plan, export or finish.';
comment on column backup.live_workers.snapshot is 'The snapshot that can be imported from it.';
comment on column backup.live_workers.held_at is 'When it began to hold the snapshot.';
comment on column backup.live_workers.progress is 'Its present work.';
comment on column backup.live_workers.working is 'False for one that waits to leave or whose lease expired.';
