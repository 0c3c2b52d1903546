-- Raises a clear error where the function cannot be called at all. The detail is the code for the log.
create or replace function backup._require_function()
returns void
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from backup.settings s where s.function_url is not null) then
        raise exception 'function_url is not configured'
            using errcode = 'object_not_in_prerequisite_state',
                detail = 'not_configured',
                hint = 'select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')';
    end if;
    if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
        raise exception 'pg_net is not installed: nothing can call the function'
            using errcode = 'feature_not_supported',
                detail = 'not_installed',
                hint = 'create extension pg_net with schema extensions; or turn it on under Integrations in the dashboard.';
    end if;
end;
$$;

revoke all on function backup._require_function from public;
comment on function backup._require_function is 'Raises a clear error where the function cannot be called.';

-- Calls the function for an active run; answers pg_net's number of the request.
create or replace function backup.dispatch(run_id bigint)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
    perform backup._require_function();
    if not exists (select from backup.log l where l.id = dispatch.run_id and l.finished_at is null) then
        raise exception 'run % cannot be dispatched: it is not active', run_id
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'select backup.start() begins a new run; select * from backup.log shows all of them.';
    end if;
    return backup._call(run_id);
end;
$$;

revoke all on function backup.dispatch from public;
comment on function backup.dispatch is 'Calls the function for a run; answers pg_net''s request number.';

-- Sends the function a request with a one-time token, of which only the hash stays here; `word` begins the token, so that the function learns from it what
-- it is called for. The request goes out when the transaction commits.
create or replace function backup._send(word text, body jsonb, out hash bytea, out request_id bigint, out expires_at timestamptz)
language plpgsql
set search_path = ''
as $$
declare
    -- Two random UUIDs: 244 random bits, from the server's strong source.
    token text := word || gen_random_uuid()::text || gen_random_uuid()::text;
    settings backup.settings;
begin
    select s.* into strict settings from backup.settings s;
    -- The function answers at once. A half minute is for its cold start; pg_net's own five seconds are too few,
    -- and it keeps all later requests waiting while this one is open.
    request_id := net.http_post(
        url := settings.function_url,
        body := body,
        headers := jsonb_build_object('Content-Type', 'application/json', 'x-backup-token', token),
        timeout_milliseconds := 30000
    );
    hash := sha256(convert_to(token, 'UTF8'));
    expires_at := clock_timestamp() + make_interval(secs => settings.call_ttl_seconds);
end;
$$;

revoke all on function backup._send from public;
comment on function backup._send is 'Sends the function a request with a one-time token; answers its hash, pg_net''s number, and until when it is good.';

-- Calls the function for a run or, without one, for alerts; answers pg_net's number of the request.
-- A transaction that fails leaves neither call nor token.
create or replace function backup._call(run_id bigint)
returns bigint
language sql
set search_path = ''
as $$
    insert into backup.calls (hash, run_id, request_id, expires_at)
    select sent.hash, _call.run_id, sent.request_id, sent.expires_at
    from backup._send(case when run_id is null then 'alert-' else '' end, jsonb_strip_nulls(jsonb_build_object('run_id', run_id))) sent
    returning request_id;
$$;

revoke all on function backup._call from public;
comment on function backup._call is 'Calls the function with a one-time token; answers pg_net''s request number.';

-- The run that an unused, unexpired token was made for; null for any other text. The token is used up.
create or replace function backup._redeem(token text)
returns bigint
language sql
set search_path = ''
as $$
    update backup.calls c
    set used_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.run_id is not null and c.used_at is null and c.expires_at > clock_timestamp()
    returning c.run_id;
$$;

revoke all on function backup._redeem from public;
comment on function backup._redeem is 'The run of a one-time token, which is used up; null for one that is not good.';

-- Copies what pg_net knows about the calls of a run, before pg_net forgets it. An older response can bear the
-- same number, because pg_net counts anew after a crash; hence the comparison of times.
create or replace function backup._collect_answers(run_id bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update backup.calls c
    set answer = jsonb_strip_nulls(jsonb_build_object(
        'status', r.status_code, 'error', r.error_msg, 'body', left(r.content, 300)
    ))
    from net._http_response r
    where c.run_id = _collect_answers.run_id
        and c.answer is null
        and r.id = c.request_id
        and r.created > c.created_at - interval '1 minute';
end;
$$;

revoke all on function backup._collect_answers from public;
comment on function backup._collect_answers is 'Copies pg_net''s responses to the calls of a run.';

-- What became of the calls since the run's last sign of life. `expected`: a worker may still come of it. `vain`: none did.
create or replace function backup._calls_of(run_id bigint, out expected bigint, out vain bigint, out answer jsonb)
language sql
set search_path = ''
as $$
    with calls as (
        select
            c.created_at,
            c.answer,
            c.worker is null and case
                -- It reached an isolate that works for this run, or another, already: the next call finds another one.
                when c.answer ->> 'status' = '503' and c.answer ->> 'body' like '%"busy"%' then c.created_at > clock_timestamp() - interval '1 second'
                -- Refused or not delivered: wait a little before the next call, not longer.
                when c.answer ->> 'status' not like '2%' or c.answer ? 'error' then c.created_at > clock_timestamp() - interval '5 seconds'
                -- Under way: pg_net's queue, a cold start, two connections.
                else greatest(c.created_at, c.used_at) > clock_timestamp() - interval '45 seconds'
            end as expected,
            c.worker is not null as entered
        from backup.calls c
        where c.run_id = _calls_of.run_id
    )
    select
        count(*) filter (where c.expected),
        count(*) filter (where not c.expected and not c.entered and c.created_at > coalesce(l.heartbeat_at, l.started_at)),
        (array_agg(c.answer order by c.created_at desc) filter (where c.answer is not null and not c.entered))[1]
    from backup.log l
    left join calls c on true
    where l.id = _calls_of.run_id;
$$;

revoke all on function backup._calls_of from public;
comment on function backup._calls_of is 'How many calls of a run are under way or were in vain, and the last answer that was in vain.';
