create or replace function backup._told_error(answer jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._told_error is
    'Returns the error {code, message, hint} that the function gave as its answer to a call; null for any other '
    'answer.';

create or replace function backup._answer_code(answer jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select substring(answer ->> 'body' from '"code" *: *"(busy|call_repeated|database_unreachable|not_configured|unauthorized)"');
$$;

comment on function backup._answer_code is
    'Returns the code of the function''s own answer to a call, of those that make a difference here.';

create or replace function backup._vain_answer(answer jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function backup._vain_answer is
    'Returns what the answer to a call that came to nothing means: {message, hint}, with the code of an error that '
    'the function told, and whether it refused, so that another try would not help.';
