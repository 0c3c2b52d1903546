-- What the function says and asks when it is called for alerts.

-- Is this the unused, unexpired token of a call for alerts? It is used up.
create or replace function backup._redeem_for_alerts(token text)
returns boolean
language sql
set search_path = ''
as $$
    with redeemed as (
        update backup.calls c
        set used_at = clock_timestamp()
        where c.hash = sha256(convert_to(token, 'UTF8')) and c.run_id is null and c.used_at is null and c.expires_at > clock_timestamp()
        returning 1
    )
    select exists (select from redeemed);
$$;

revoke all on function backup._redeem_for_alerts from public;
comment on function backup._redeem_for_alerts is 'Is this the token of a call for alerts? It is used up.';

-- Which channels there are: [{name, state, problem}], all of them each time.
create or replace function backup._report_channels(report jsonb)
returns void
language plpgsql
set search_path = ''
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

revoke all on function backup._report_channels from public;
comment on function backup._report_channels is 'Keeps which channels for alerts the function has.';

-- The oldest event that is due, with the channels that it is due on; null when there is none.
create or replace function backup._next_alert()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'event', to_jsonb(e),
        'channels', jsonb_agg(jsonb_build_object('name', u.channel, 'told', u.told, 'failed', u.failed) order by u.channel)
    )
    from backup._alerts_untold() u
    join backup.events e on e.id = u.event_id
    where u.due
    group by e.id
    order by e.id
    limit 1;
$$;

revoke all on function backup._next_alert from public;
comment on function backup._next_alert is 'The oldest event that is due, and its channels.';

-- An attempt was made: {channel, attempt, outcome, status, error, milliseconds}. `event_id` is null for a test.
create or replace function backup._alerted(event_id bigint, attempt jsonb)
returns void
language sql
set search_path = ''
as $$
    insert into backup.alerts (event_id, channel, attempt, outcome, status, error, milliseconds)
    select _alerted.event_id, a.channel, a.attempt, a.outcome, a.status, a.error, a.milliseconds
    from jsonb_to_record(_alerted.attempt) a (channel text, attempt integer, outcome text, status integer, error text, milliseconds integer);
$$;

revoke all on function backup._alerted from public;
comment on function backup._alerted is 'Keeps an attempt to tell somebody.';
