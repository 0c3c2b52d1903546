create or replace function backup._check_alerts()
returns setof jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    channel record;
    since timestamptz;
begin
    if not exists (select from backup.channels c where c.state <> 'off') then
        return next backup._reason(
            'no_alerts', 'info', 'No alert channel is configured, so nobody is notified when a backup fails',
            'Configure one as in docs/alerts.md, and try it with supabase-backup alerts test.'
        );
    end if;
    for channel in select c.name, c.problem from backup.channels c where c.state = 'wrong' order by c.name loop
        return next backup._reason(
            'channel_wrong', 'warning', format('Alert channel %s is misconfigured: %s', channel.name, channel.problem),
            'Run: supabase secrets set NAME=value, as in docs/alerts.md. Then run: supabase-backup alerts test'
        );
    end loop;
    -- An hour of failures is more than a hiccup. Any success since then, also of a test, clears it.
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
            format('Alert channel %s has failed since %s: %s', channel.name, date_trunc('second', channel.first_at), channel.last_error),
            'Run supabase-backup alerts test to see what it answers now.'
        );
    end loop;
    select min(c.created_at) into since
    from backup.calls c
    where c.purpose = 'alert' and c.created_at > coalesce((select max(r.reported_at) from backup.channels r), '-infinity');
    if since < now() - interval '1 hour' then
        return next backup._reason(
            'function_silent', 'warning', format('The function has not answered calls for alerts since %s', date_trunc('second', since)),
            'Check that it is deployed, and its logs. See pg_net''s responses with: select * from net._http_response order by id desc limit 5'
        );
    end if;
end;
$$;

comment on function backup._check_alerts is 'Checks that somebody would be notified of a failure.';
