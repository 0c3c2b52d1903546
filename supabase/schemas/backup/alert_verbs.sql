-- The verbs of an invocation that delivers alerts.

create or replace function backup._report_channels(report jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from backup.channels c where c.name not in (select r ->> 'name' from jsonb_array_elements(report) r);
    insert into backup.channels as c (name, state, problem)
    select r ->> 'name', r ->> 'state', r ->> 'problem' from jsonb_array_elements(report) r order by 1
    on conflict (name) do update
    set state = excluded.state,
        problem = excluded.problem,
        since = case when c.state = excluded.state then c.since else excluded.since end,
        reported_at = excluded.reported_at;
end;
$$;

comment on function backup._report_channels is
    'Stores which channels for alerts the function has: [{name, state, problem}], all of them each time.';

create or replace function backup._next_alert()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'event', to_jsonb(e),
        'channels', jsonb_agg(jsonb_build_object('name', u.channel, 'told', u.told, 'failed', u.failed) order by u.channel)
    )
    from backup._pending_alerts() u
    join backup.events e on e.id = u.event_id
    where u.due
    group by e.id
    order by e.id
    limit 1;
$$;

comment on function backup._next_alert is 'Returns the oldest event that is due with its channels, or null.';

create or replace function backup._record_alert(event_id bigint, attempt jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into backup.alerts (event_id, channel, attempt, outcome, status, error, milliseconds)
    select _record_alert.event_id, a.channel, a.attempt, a.outcome, a.status, a.error, a.milliseconds
    from jsonb_to_record(_record_alert.attempt) a (channel text, attempt integer, outcome text, status integer, error text, milliseconds integer);
$$;

comment on function backup._record_alert is
    'Records an attempt to deliver an event: {channel, attempt, outcome, status, error, milliseconds}. event_id '
    'is null for a test.';
