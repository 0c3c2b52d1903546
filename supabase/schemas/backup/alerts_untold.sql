-- What is to be told to whom: every event once on each channel, oldest first. `failed`: attempts in a row that came to nothing; each doubles the wait until the
-- next, and only then the row is `due`. `told`: how often it was told before: while backups stay failing they are told again, a warning is not.
create or replace function backup._alerts_untold()
returns table (event_id bigint, channel text, told bigint, failed bigint, due boolean)
language sql
stable
set search_path = ''
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
        -- That all is well in a project which never was otherwise is no news.
        and (e.verdict <> 'ok' or e.previous_verdict is not null)
        and case
            when told.times > 0 then
                newest and e.verdict = 'failing'
                    and told.last_at < now() - make_interval(days => (select s.alert_reminder_days from backup.settings s))
            -- A channel that is new hears what is wrong now, and no old stories; nor does one that was out of order for a week.
            else newest and e.verdict <> 'ok' or e.noticed_at >= c.since and e.noticed_at > now() - interval '7 days'
        end
    order by e.id, c.name;
$$;

revoke all on function backup._alerts_untold from public;
comment on function backup._alerts_untold is 'What is to be told to whom.';
