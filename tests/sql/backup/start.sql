-- How runs start and are cancelled.
begin;
select plan(37);

select is(
    tests.error_of('select backup.start()'),
    '55000: function_url is not configured '
        || '(Run: select backup.configure(function_url => ''https://<project-ref>.supabase.co/functions/v1/backup''))',
    'a manual start says what is missing'
);
select is((select count(*) from backup.log), 0::bigint, 'and leaves no row');
select is(backup.start('scheduled')::text, null, 'a scheduled start is not made either');
select is(
    (select row(trigger, status, error_code, error_message)::text from backup.log),
    row('scheduled', 'failed', 'not_configured', 'function_url is not configured')::text,
    'but it leaves a row, because nobody reads what a job raises'
);
select matches((select error_hint from backup.log), 'backup.configure', 'with the hint');
select is((select settings from backup.log), '{}', 'and without settings: there was no attempt');
select matches(tests.error_of($$ select backup.start('weekly') $$), '^22023: .*"weekly"', 'there are two triggers');
select matches(tests.error_of('select backup.start(null)'), '^22023', 'null is neither');

select tests.configure();
select backup.start() as run \gset
select is(
    (select row(l.trigger, l.status, l.phase, l.attempt, l.finished_at)::text from tests.run(:run) l),
    row('manual', 'queued', null, 1, null)::text,
    'a run begins'
);
select is((tests.run(:run)).settings, backup._settings_of_attempt(), 'with the settings of that moment');
select matches((tests.run(:run)).name, to_char(now() at time zone 'UTC', '^"backup-"YYYYMMDD-HH24'), 'its folder has the time in UTC');
select is(tests.calls(:run), 1::bigint, 'the function is called once: one worker plans');
select is(
    (select row(method, url, convert_from(body, 'UTF8'), headers ->> 'Content-Type')::text from net.http_request_queue),
    row('POST', 'https://project.example/functions/v1/backup', format('{"run_id": %s}', :run), 'application/json')::text,
    'at the address that was configured'
);
select is((select timeout_milliseconds from net.http_request_queue), 30000, 'with time for its cold start');
select is((select count(*) from cron.job where jobname = 'backup-watch' and active), 1::bigint, 'the watch-dog is awake');

select is(
    tests.error_of('select backup.start()'),
    format(
        '55000: Cannot start a backup: run %s (%s) is active (Wait for it (select * from backup.log), or end it with: select backup.cancel(%s))',
        :run, (tests.run(:run)).name, :run
    ),
    'a second run is refused while one is active'
);
select cron.unschedule('backup-watch');
select is(backup.start('scheduled'), null, 'also a scheduled one');
select is((select error_code from backup.log order by id desc limit 1), 'run_active', 'which says so in the log');
select is(
    (select count(*) from cron.job where jobname = 'backup-watch' and active), 1::bigint,
    'and wakes the watch-dog, should it be gone'
);
select is((select count(distinct name) from backup.log), (select count(*) from backup.log), 'starts within a second have names of their own');
select throws_ok(
    $$ insert into backup.log (name, trigger, settings) values ('backup-20200101-000000', 'manual', '{}') $$,
    '23505', null, 'the index itself refuses a second active run'
);

-- Cancelling.
select is(backup.cancel(:run), true, 'an active run can be cancelled');
select is(
    (select row(l.status, l.error_code, l.error_message, l.finished_at is not null)::text from tests.run(:run) l),
    row('cancelled', 'cancelled', format('Run %s was cancelled', :run), true)::text,
    'and says so'
);
select tests.commit();
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'the watch-dog sleeps');
select is(backup.cancel(:run), false, 'a run that has ended cannot');
select matches(tests.error_of('select backup.cancel(999999)'), '^P0002: Run 999999 does not exist', 'nor one that never was');
select is(tests.role_of(:run, 1), 'none', 'a worker that comes too late is sent away');

-- The next run takes away what the last one needed.
select tests.planned_run(2) as run \gset
select tests.export_all(:run, 1);
select backup.cancel(:run);
select isnt((select count(*) from backup.parts), 0::bigint, 'what a run did can be looked at after its end');
select backup.start() as next \gset
select is(
    (
        select row(
            (select count(*) from backup.plans), (select count(*) from backup.slices), (select count(*) from backup.parts),
            (select count(*) from backup.workers), (select count(*) from backup.calls where run_id <> :next)
        )::text
    ),
    row(0, 0, 0, 0, 0)::text,
    'until the next one starts'
);
select is(tests.calls(:next), 1::bigint, 'whose own call is not taken away');

-- A leftover: the database was restored from a backup, which holds the row of the very run that made it.
select tests.enter(:next, 1);
select backup._heartbeat(:next, tests.worker(1));
select tests.pass(interval '14 minutes');
select matches(tests.error_of('select backup.start()'), 'is active', 'a run that was heard of lately is not a leftover');
select tests.pass(interval '10 minutes');
select backup.start() as after \gset
select isnt(:after, :next, 'one that nobody has dealt with for long makes way');
select is(
    (select row(status, error_code)::text from tests.run(:next)), row('failed', 'abandoned')::text, 'and has failed as abandoned'
);
select tests.enter(:after, 1);
select tests.pass(interval '20 minutes');
update backup.workers set lease_until = clock_timestamp() + interval '30 minutes';
select matches(tests.error_of('select backup.start()'), 'is active', 'a long lease is kept');
select backup.cancel(:after);

set local role service_role;
select lives_ok('select backup.start() as run', 'service_role may start');
select is((select backup.cancel(max(id)) from backup.log), true, 'and cancel');
reset role;

select is(
    (select count(*) from backup.log l where l.name !~ '^backup-[0-9]{8}-[0-9]{6}$'), 0::bigint, 'every row has a name'
);

select * from finish();
rollback;
