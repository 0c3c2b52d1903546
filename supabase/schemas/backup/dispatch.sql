create or replace function backup._function_error()
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from backup.settings s where s.function_url is not null) then
        return jsonb_build_object(
            'code', 'not_configured',
            'message', 'function_url is not configured',
            'hint', 'Run: select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup'')'
        );
    elsif not backup._platform_has('net.http_post(text, jsonb, jsonb, jsonb, integer)') then
        return jsonb_build_object(
            'code', 'not_installed',
            'message', 'pg_net is not installed, so the database cannot call the function',
            'hint', 'Run: create extension pg_net with schema extensions. Or enable it under Integrations in the dashboard.'
        );
    elsif backup._net_trigger() is not null then
        return jsonb_build_object(
            'code', 'net_unsafe',
            'message', format('Cannot call the function: the trigger "%s" on net.http_request_queue would run with our rights', backup._net_trigger()),
            'hint', format('Run: drop trigger %I on net.http_request_queue. Find out who created it: any role can.', backup._net_trigger())
        );
    end if;
    return null;
end;
$$;

comment on function backup._function_error is 'Returns why the function cannot be called, or null.';

create or replace function backup._require_function()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    error jsonb := backup._function_error();
begin
    if error is not null then
        raise exception '%', error ->> 'message'
            using errcode = 'object_not_in_prerequisite_state', detail = error ->> 'code', hint = error ->> 'hint';
    end if;
end;
$$;

comment on function backup._require_function is
    'Raises an error when the function cannot be called; its detail is the code for the log.';

create or replace function backup._issue_token(purpose text, run_id bigint default null)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._issue_token is 'Records a call for this purpose and returns its one-time token.';

create or replace function backup._call(purpose text, run_id bigint default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._call is
    'Calls the function with a one-time token for this purpose and returns pg_net''s request number. The request '
    'is sent when the transaction commits.';

create or replace function backup.dispatch(run_id bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform backup._require_function();
    if not exists (select from backup.log l where l.id = dispatch.run_id and l.finished_at is null) then
        raise exception 'Cannot dispatch run %: it is not active', run_id
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Start a new run with select backup.start(), or see all runs with select * from backup.log.';
    end if;
    return backup._call('run', run_id);
end;
$$;

comment on function backup.dispatch is 'Calls the function for an active run and returns pg_net''s request number.';

create or replace function backup._redeem(token text, out purpose text, out run_id bigint)
language sql
set search_path = pg_catalog, pg_temp
as $$
    update backup.calls c
    set used_at = clock_timestamp()
    where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is null and c.expires_at > clock_timestamp()
    returning c.purpose, c.run_id;
$$;

comment on function backup._redeem is
    'Uses up an unused, unexpired token and returns what it is valid for; nulls for any other text.';

create or replace function backup._is_redeemed(token text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from backup.calls c
        where c.hash = sha256(convert_to(token, 'UTF8')) and c.used_at is not null and c.expires_at > clock_timestamp()
    );
$$;

comment on function backup._is_redeemed is
    'Returns whether this token was used up and has not expired: its call arrived before.';

create or replace function backup._link_call(purpose text, run_id bigint, worker uuid)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    -- The newest one: an older call whose worker died on its way must not pass its place on, or each later call would
    -- be taken for one that is still under way.
    update backup.calls c
    set worker = _link_call.worker
    where c.hash = (
        select o.hash
        from backup.calls o
        where o.purpose = _link_call.purpose and o.run_id is not distinct from _link_call.run_id and o.used_at is not null and o.worker is null
        order by o.used_at desc
        limit 1
    ) and not exists (select from backup.calls o where o.worker = _link_call.worker);
$$;

comment on function backup._link_call is 'Records which worker a call has produced.';

create or replace function backup._collect_responses(run_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._collect_responses is
    'Copies pg_net''s responses to the calls of a run, or of other purposes for null, before pg_net deletes them.'
    ' The caller holds the lock of the run, or that on work.';

create or replace function backup._call_status(purpose text, run_id bigint, out expected bigint, out busy bigint, out vain bigint, out answer jsonb)
language sql
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._call_status is
    'Returns how many calls may still produce a worker (expected), how many of these have just met a busy isolate '
    '(busy), how many since the run''s last heartbeat did not produce one (vain), and the last answer of those.';
