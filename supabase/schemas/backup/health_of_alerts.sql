-- Would anybody be told?
create or replace function backup._look_at_alerts()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    channel record;
    since timestamptz;
begin
    if not exists (select from backup.channels c where c.state <> 'off') then
        return next backup._reason(
            'no_alerts', 'info', 'no channel for alerts is set up, and no ping: of a failure learns only who asks',
            'docs/alerts.md sets one up in two lines; npm run alert:test tries it.'
        );
    end if;
    for channel in select c.name, c.problem from backup.channels c where c.state = 'wrong' order by c.name loop
        return next backup._reason(
            'channel_wrong', 'warning', format('the channel %s for alerts cannot be used: %s', channel.name, channel.problem),
            'supabase secrets set NAME=value, as in docs/alerts.md; then: npm run alert:test'
        );
    end loop;
    -- An hour of failures is no hiccup. Any success since then, a test too, clears it.
    for channel in
        select c.name, failed.first_at, failed.last_error
        from backup.channels c
        cross join lateral (
            select min(a.made_at) as first_at, (array_agg(a.error order by a.id desc))[1] as last_error
            from backup.alerts a
            where a.channel = c.name
                and a.outcome = 'failed'
                and a.made_at > greatest(c.since, (select max(s.made_at) from backup.alerts s where s.channel = c.name and s.outcome = 'sent'))
        ) failed
        where c.state = 'on' and failed.first_at < now() - interval '1 hour'
        order by c.name
    loop
        return next backup._reason(
            'alerts_fail', 'warning',
            format('the channel %s has taken no alert since %s: %s', channel.name, date_trunc('second', channel.first_at), channel.last_error),
            'npm run alert:test shows what it answers now.'
        );
    end loop;
    select min(c.created_at) into since
    from backup.calls c
    where c.run_id is null and c.created_at > coalesce((select max(r.reported_at) from backup.channels r), '-infinity');
    if since < now() - interval '1 hour' then
        return next backup._reason(
            'function_silent', 'warning', format('the function has not answered the calls for alerts since %s', date_trunc('second', since)),
            'Check that it is deployed and see its logs; what pg_net saw: select * from net._http_response order by id desc limit 5'
        );
    end if;
end;
$$;

revoke all on function backup._look_at_alerts from public;
comment on function backup._look_at_alerts is 'Would anybody be told?';
