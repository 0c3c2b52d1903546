-- Alerts: what is to be told to whom, and when the function is called for it.
begin;
select plan(39);

create function pg_temp.event(verdict text, previous text, age interval default '0') returns bigint language sql as $$
    insert into backup.events (verdict, previous_verdict, reasons, noticed_at)
    values (verdict, previous, jsonb_build_array(backup._reason('c' || random(), case verdict when 'ok' then 'info' else verdict end, 'm', 'h')), now() - age)
    returning id;
$$;

-- Channels that are on since so long ago.
create function pg_temp.channels(names text[], age interval default '30 days') returns void language sql as $$
    select backup._report_channels(jsonb_agg(jsonb_build_object('name', n, 'state', 'on', 'problem', null))) from unnest(names) n;
    update backup.channels set since = now() - age;
$$;

create function pg_temp.tried(event bigint, channel text, outcome text, age interval default '0') returns void language sql as $$
    select backup._record_alert(event, jsonb_build_object(
        'channel', channel, 'attempt', 1, 'outcome', outcome, 'status', null, 'error', case outcome when 'failed' then 'e' end, 'milliseconds', 1
    ));
    update backup.alerts set made_at = now() - age where id = (select max(id) from backup.alerts);
$$;

create function pg_temp.untold() returns text language sql as $$
    select coalesce(string_agg(format('%s %s%s', event_id, channel, case when not due then ' (waits)' else '' end), ', ' order by event_id, channel), '')
    from backup._pending_alerts();
$$;

create function pg_temp.calls() returns bigint language sql as $$ select count(*) from backup.calls where purpose = 'alert'; $$;
create function pg_temp.jobs() returns bigint language sql as $$ select count(*) from cron.job where jobname = 'backup-watch' and active; $$;

-- What the function reports.
select is((select count(*) from backup.channels), 0::bigint, 'no channel is known at first');
select backup._report_channels('[{"name": "slack", "state": "on", "problem": null}, {"name": "email", "state": "wrong", "problem": "p"}]');
update backup.channels set since = now() - interval '1 day', reported_at = now() - interval '1 day';
select backup._report_channels('[{"name": "slack", "state": "off", "problem": null}, {"name": "teams", "state": "off", "problem": null}]');
select set_eq('select name, state from backup.channels', $$ values ('slack', 'off'), ('teams', 'off') $$, 'a report replaces the one before');
select ok((select since > now() - interval '1 hour' from backup.channels where name = 'slack'), 'a new state begins now');
update backup.channels set since = now() - interval '1 day';
select backup._report_channels('[{"name": "slack", "state": "off", "problem": null}]');
select ok((select since < now() - interval '1 hour' and reported_at >= now() from backup.channels), 'the same state goes on');
select throws_ok($$ select backup._report_channels('[{"name": "slack", "state": "wrong"}]') $$, '23514', null, 'what is wrong has to be said');

-- Who is told what.
select pg_temp.event('ok', null) as first \gset
select pg_temp.channels('{email,ping,slack}');
select is(pg_temp.untold(), '', 'that a new project is well is no news');
select pg_temp.event('failing', 'ok') as failing \gset
select is(pg_temp.untold(), format('%s email, %s slack', :failing, :failing), 'an event is to be told on each channel, the ping aside');
update backup.channels set state = 'off' where name = 'email';
select pg_temp.tried(:failing, 'slack', 'sent');
select is(pg_temp.untold(), '', 'once, and not where the channel is off');
update backup.channels set state = 'on' where name = 'email';
select is(pg_temp.untold(), format('%s email', :failing), 'one channel does not answer for another');
select is(backup._next_alert() #>> '{event,verdict}', 'failing', 'the function gets the event');
select is(backup._next_alert() -> 'channels', '[{"name": "email", "told": 0, "failed": 0}]', 'with the channels that it is due on');

-- Attempts in vain.
select pg_temp.tried(:failing, 'email', 'failed');
select is(pg_temp.untold(), format('%s email (waits)', :failing), 'a failure waits');
select is(backup._next_alert(), null, 'and is not given out');
update backup.alerts set made_at = now() - interval '3 minutes' where outcome = 'failed';
select is(pg_temp.untold(), format('%s email', :failing), 'for two minutes at first');
select pg_temp.tried(:failing, 'email', 'failed', '3 minutes') from generate_series(1, 3);
select is(pg_temp.untold(), format('%s email (waits)', :failing), 'each further one doubles it');
select is((select failed from backup._pending_alerts()), 4::bigint, 'they are counted');
select pg_temp.tried(:failing, 'email', 'failed', '3 minutes') from generate_series(1, 30);
update backup.alerts set made_at = now() - interval '18 hours' where outcome = 'failed';
select is(pg_temp.untold(), format('%s email', :failing), 'up to most of a day');
select pg_temp.tried(:failing, 'email', 'sent');
select is(pg_temp.untold(), '', 'until it is told');

-- Reminders.
update backup.alerts set made_at = now() - interval '8 days';
select is(pg_temp.untold(), format('%s email, %s slack', :failing, :failing), 'what fails for a week is told again');
select is((select told from backup._pending_alerts() limit 1), 1::bigint, 'as a reminder');
select backup.configure(alert_reminder_days => 9);
select is(pg_temp.untold(), '', 'the days are a setting');
select pg_temp.event('warning', 'failing') as warning \gset
select pg_temp.tried(:warning, name, 'sent', '20 days') from backup.channels;
select is(pg_temp.untold(), '', 'a warning is told once, and what it replaced no more');

-- New channels, and old events.
select pg_temp.channels('{slack,teams}', '-1 second');
select is(pg_temp.untold(), format('%s teams', :warning), 'a new channel hears what is wrong now, and no old stories');
select pg_temp.event('ok', 'warning') as recovery \gset
select pg_temp.channels('{slack,teams}', '-1 second');
select is(pg_temp.untold(), '', 'a recovery is news only where the channel was there');
select pg_temp.channels('{slack}');
select is(pg_temp.untold(), format('%s slack', :recovery), 'and there it is');
update backup.events set noticed_at = now() - interval '8 days' where id = :recovery;
select is(pg_temp.untold(), '', 'for a week');

-- The call.
delete from backup.events;
delete from backup.calls;
update backup.channels set reported_at = now() - interval '1 day';
select backup.watch();
select is(pg_temp.calls(), 0::bigint, 'without an address nothing is called');
select tests.configure();
select backup.watch();
select is(pg_temp.calls(), 1::bigint, 'what channels there are is asked once a day');
select matches(tests.token(), '^alert-.{72}$', 'with a token that says what for');
select is((select body from net.http_request_queue order by id desc limit 1), convert_to('{}', 'UTF8'), 'and nothing else');
select purpose, coalesce(run_id::text, '') as run_id from backup._redeem(tests.token()) \gset told_
select is(:'told_run_id'::text, '', 'it is not a token for a run');
select is(:'told_purpose'::text, 'alert', 'but one for alerts');
select is((select purpose from backup._redeem(tests.token())), null, 'once');
select backup._link_call('alert', null, tests.worker(1));
select is(pg_temp.jobs(), 0::bigint, 'no job asks again when nothing has happened');

select pg_temp.channels('{slack}');
select backup.watch();
select is(pg_temp.calls(), 1::bigint, 'with nothing to tell nothing is called');
select backup.check() as verdict \gset
select is(pg_temp.calls(), 2::bigint, 'what the check notices is told at once');
select is(pg_temp.jobs(), 1::bigint, 'and a job asks again');

-- The end of a run, when its transaction commits.
select backup.start() as run \gset
select backup.cancel(:run);
set constraints all immediate;
set constraints all deferred;
select backup.start('scheduled') as run \gset
select backup._end_run(l, 'failed', '{"code": "c", "message": "m"}') from backup.log l where l.id = :run;
set constraints all immediate;
select ok((select 'run_failed' = any (backup._alarm_codes(reasons)) from backup.events order by id desc limit 1), 'a failed run is noticed at its end');
select is(backup._next_alert() #>> '{channels,0,name}', 'slack', 'and is to be told');

select * from finish();
rollback;
