-- Alerts: files of schemas/backup/ in the order of config.toml.

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

-- Calls the function when there is something to tell, or when it has not said for a day which channels it has: so a function that is gone is noticed
-- within a day, and not at the next backup. Answers pg_net's number of the request; null when there was nothing to ask, or no way. While something of the
-- last day is untold a job asks every ten minutes; after that the daily check does.
create or replace function backup.alert()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    known boolean := exists (select from backup.channels c where c.reported_at > now() - interval '20 hours');
    untold boolean;
    due boolean;
begin
    perform backup._lock_events();
    select count(*) > 0, coalesce(bool_or(u.due), false) into untold, due from backup._alerts_untold() u;
    if (untold or not known) and exists (select from backup.events e where e.noticed_at > now() - interval '1 day') then
        if to_regclass('cron.job') is not null then
            perform backup._keep_job('backup-alert', '*/10 * * * *', 'select backup.alert()');
        end if;
    else
        perform backup._drop_job('backup-alert');
    end if;
    delete from backup.calls c where c.run_id is null and c.created_at < now() - interval '7 days';
    if known and not due
        or not exists (select from backup.settings s where s.function_url is not null)
        or to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null
    then
        return null;
    end if;
    return backup._call(null);
end;
$$;

revoke all on function backup.alert from public;
comment on function backup.alert is 'Calls the function when there is something to tell; answers pg_net''s request number.';

-- Every run that ends is looked at, however it ends: when its transaction commits, since the run's row comes first in all verbs' order of locks. Nothing that
-- goes wrong here keeps a run from ending. Rows of earlier ends, which a restore or a rebuilt log brings, tell nothing new.
create or replace function backup._run_ended()
returns trigger
language plpgsql
-- The trigger fires when the caller of a verb is himself again.
security definer
set search_path = ''
as $$
begin
    perform backup._notice();
    perform backup.alert();
    return null;
exception
    when others then
        raise warning 'nobody was told of the end of run %: %', new.id, sqlerrm
            using hint = 'The daily check looks again: select backup.check()';
        return null;
end;
$$;

revoke all on function backup._run_ended from public;
comment on function backup._run_ended is 'Notices what the end of a run has changed, and has it told.';

drop trigger if exists run_ended on backup.log;
create constraint trigger run_ended
after insert or update of finished_at on backup.log
deferrable initially deferred
for each row when (new.finished_at >= now())
execute function backup._run_ended();

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
