create or replace function backup._pending_alerts()
returns table (event_id bigint, channel text, told bigint, failed bigint, due boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        e.id, c.name, told.times, tried.times,
        tried.times = 0 or tried.last_at < now() - make_interval(mins => (2 ^ least(tried.times, 10))::integer)
    from backup.channels c
    cross join backup.events e
    cross join lateral (
        select count(*) as times, max(a.made_at) as last_at
        from backup.alerts a
        where a.event_id = e.id and a.channel = c.name and a.outcome = 'sent'
    ) told
    cross join lateral (
        select count(*) as times, max(a.made_at) as last_at
        from backup.alerts a
        where a.event_id = e.id and a.channel = c.name and a.outcome = 'failed' and a.made_at > coalesce(told.last_at, '-infinity')
    ) tried
    cross join lateral (select not exists (select from backup.events l where l.id > e.id) as newest) present
    where c.state = 'on'
        and c.name <> 'ping'
        -- A first verdict of ok is not news.
        and (e.verdict <> 'ok' or e.previous_verdict is not null)
        and case
            when told.times > 0 then
                newest and e.verdict = 'failing'
                    and told.last_at < now() - make_interval(days => (select s.alert_reminder_days from backup.settings s))
            -- A new channel, or one that failed for a week, is told what is wrong now and not what is over.
            else newest and e.verdict <> 'ok' or e.noticed_at >= c.since and e.noticed_at > now() - interval '7 days'
        end
    order by e.id, c.name;
$$;

comment on function backup._pending_alerts is
    'Returns each event that a channel has not been told of, oldest first. failed counts the attempts in a row '
    'that failed; each doubles the wait until the row is due. told counts earlier deliveries: an event is '
    'repeated only while backups stay failing.';
