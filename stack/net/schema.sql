-- A stand-in for the extension pg_net 0.20.4: the same schema, tables, functions and grants. Its worker is net.ts; it
-- reads the parameters pg_net.ttl and pg_net.batch_size where somebody has set them for the database. One file because
-- an extension is installed by one.
create schema net;

create domain net.http_method as text
constraint http_method_check check (lower(value) in ('get', 'post', 'delete'));

-- Requests that wait for the worker. Unlogged, as its neighbour: a crash of the server empties both.
create unlogged table net.http_request_queue (
    id bigserial,
    method net.http_method not null,
    url text not null,
    headers jsonb,
    body bytea,
    timeout_milliseconds integer not null
);

create unlogged table net._http_response (
    id bigint,
    status_code integer,
    content_type text,
    headers jsonb,
    content text,
    timed_out boolean,
    error_msg text,
    created timestamptz not null default now()
);

create index _http_response_created_idx on net._http_response (created);

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (status net.request_status, message text, response net.http_response);

create function net.check_worker_is_up()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from pg_stat_activity where application_name like 'pg\_net %') then
        raise exception 'the pg_net background worker is not up'
            using hint = 'Here it is a part of the stack: start the stack again.';
    end if;
end;
$$;

comment on function net.check_worker_is_up is 'Raises an exception when the worker is not up.';

create function net.wait_until_running()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    while not exists (select from pg_stat_activity where application_name like 'pg\_net %') loop
        perform pg_sleep(0.05);
        -- A transaction sees one state of the view until it asks for another.
        perform pg_stat_clear_snapshot();
    end loop;
end;
$$;

comment on function net.wait_until_running is 'Waits until the worker is running.';

-- The server delivers the notification when the transaction commits, once for however many requests.
create function net.wake()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select pg_notify('net', '');
$$;

comment on function net.wake is 'Wakes the worker when the transaction commits.';

-- The worker reads its parameters for each batch: there is nothing to restart it for.
create function net.worker_restart()
returns boolean
language sql
set search_path = pg_catalog, pg_temp
as $$
    select true from net.wake();
$$;

comment on function net.worker_restart is 'Wakes the worker.';

create function net._urlencode_string(string varchar)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        string_agg(
            case
                when character ~ '[A-Za-z0-9._~-]' then character
                else upper(regexp_replace(encode(convert_to(character, 'UTF8'), 'hex'), '..', '%\&', 'g'))
            end,
            '' order by place
        ),
        ''
    )
    from regexp_split_to_table(string, '') with ordinality letters (character, place)
    having string is not null;
$$;

create function net._encode_url_with_params_array(url text, params_array text[])
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    pieces text[] := regexp_match(url, '^([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$');
    query text;
begin
    if url is null or params_array is null then
        return null;
    end if;
    if pieces is null or url ~ '[^!-~]' then
        raise exception 'invalid URL "%": %', url, case when pieces is null then 'Bad scheme' else 'Bad path' end
            using errcode = 'internal_error',
                hint = 'Give scheme and host, and no spaces: http://127.0.0.1:8000/path';
    end if;
    query := array_to_string(nullif(pieces[4], '') || params_array, '&');
    return lower(pieces[1]) || '://' || pieces[2] || coalesce(nullif(pieces[3], ''), '/')
        || case when query = '' then '' else '?' || query end
        || coalesce(pieces[5], '');
end;
$$;

-- The URL with the params in its query.
create function net._with_params(url text, params jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select net._encode_url_with_params_array(
        url,
        array(select net._urlencode_string(key) || '=' || net._urlencode_string(value) from jsonb_each_text(params))
    );
$$;

create function net._enqueue(method net.http_method, url text, headers jsonb, body bytea, timeout_milliseconds integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    request_id bigint;
begin
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values (method, url, headers, body, timeout_milliseconds)
    returning id into request_id;
    perform net.wake();
    return request_id;
end;
$$;

create function net.http_get(
    url text,
    params jsonb default '{}',
    headers jsonb default '{}',
    timeout_milliseconds integer default 5000
)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    select net._enqueue('GET', net._with_params(url, params), headers, null, timeout_milliseconds);
$$;

create function net.http_post(
    url text,
    body jsonb default '{}',
    params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}',
    timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    content_type text := (select value from jsonb_each_text(headers) where lower(key) = 'content-type' limit 1);
begin
    if content_type <> 'application/json' then
        raise exception 'Content-Type header must be "application/json"'
            using hint = 'The body is jsonb.';
    end if;
    if content_type is null then
        headers := headers || '{"Content-Type": "application/json"}';
    end if;
    return net._enqueue(
        'POST', net._with_params(url, params), headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
    );
end;
$$;

create function net.http_delete(
    url text,
    params jsonb default '{}',
    headers jsonb default '{}',
    timeout_milliseconds integer default 5000,
    body jsonb default null
)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    select net._enqueue(
        'DELETE', net._with_params(url, params), headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
    );
$$;

create function net._await_response(request_id bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    while not exists (select from net._http_response r where r.id = request_id) loop
        perform pg_sleep(0.05);
    end loop;
    return true;
end;
$$;

-- A request that waits or is under way looks as one that never was; so it does with pg_net.
create function net._http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    found_response net._http_response;
begin
    if not async then
        perform net._await_response(request_id);
    end if;
    select r.* into found_response from net._http_response r where r.id = request_id;
    if found_response is null or found_response.error_msg is not null then
        return (
            'ERROR', coalesce(found_response.error_msg, 'request matching request_id not found'), null
        )::net.http_response_result;
    end if;
    return (
        'SUCCESS',
        'ok',
        (found_response.status_code, found_response.headers, found_response.content)::net.http_response
    )::net.http_response_result;
end;
$$;

-- Deprecated, and out of order in pg_net 0.20.4: its last statement is a select whose result goes nowhere.
create function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise notice 'The net.http_collect_response function is deprecated.';
    raise exception 'query has no destination for result data'
        using errcode = 'syntax_error', hint = 'Use net._http_collect_response.';
end;
$$;

-- Everybody may, as with pg_net: any role reads every response.
grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
grant usage on schema net to postgres, anon, authenticated, service_role;
