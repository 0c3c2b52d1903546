-- The daily check: what it notices once, what it ends, and its job.
begin;
select plan(19);

select is(backup.check(), 'failing', 'a new project is not well');
select results_eq(
    'select verdict, previous_verdict from backup.events', $$ values ('failing', null) $$, 'the first check is kept'
);
select backup.check() as verdict \gset
select is((select count(*) from backup.events), 1::bigint, 'a second one that finds the same adds nothing');
select ok((select seen_at > noticed_at from backup.events), 'but that it was made');

-- A change of reasons is an event, and so is a change of the verdict.
select tests.configure();
select backup.check() as verdict \gset
select results_eq(
    $$ select verdict, backup._alarm_codes(reasons) from backup.events order by id desc limit 1 $$, $$ values ('failing', array['no_backup']) $$,
    'a reason that is gone is an event'
);
insert into backup.log (
    name, trigger, status, started_at, finished_at, verified_at, checksum, rows, raw_bytes, stored_bytes, parts, settings
)
values ('backup-20010101-000000', 'scheduled', 'succeeded', now(), now(), now(), tests.sha256('m'), 1, 1, 1000, 1, '{"bucket": "backups"}');
insert into storage.objects (bucket_id, name, metadata)
values ('backups', 'backup-20010101-000000/00000.dump', '{"size": 1000}'), ('backups', 'backup-20010101-000000/manifest.json', '{"size": 1}');
select is(backup.check(), 'ok', 'with a backup all is well');
select results_eq(
    'select verdict, previous_verdict from backup.events order by id desc limit 1', $$ values ('ok', 'failing') $$, 'a recovery is kept'
);
select backup.configure(max_attempts => 1);
select backup.check() as verdict \gset
select backup.configure(max_attempts => 3);
select backup.check() as verdict \gset
select is((select count(*) from backup.events), 5::bigint, 'once each');

-- Figures in messages change daily; that is not an event.
update backup.log set started_at = now() - interval '44 days';
select backup.check() as verdict \gset
update backup.log set started_at = now() - interval '45 days';
select backup.check() as verdict \gset
select is((select count(*) from backup.events), 6::bigint, 'a day more is the same event');
select matches((select reasons::text from backup.events order by id desc limit 1), '45 days old', 'with the newest words');
update backup.log set started_at = now() - interval '1 hour';
select backup.check() as verdict \gset

-- A run that nobody deals with any more.
select backup.start() as run \gset
select tests.enter(:run, 1);
select tests.pass(interval '10 minutes');
select is(backup.check(), 'ok', 'a young run is let alone');
select is((tests.run(:run)).status, 'running', 'really');
select tests.pass(interval '20 minutes');
select is(backup.check(), 'failing', 'a run that was left behind');
select is((tests.run(:run)).error_code, 'abandoned', 'is ended');

-- It switches nothing on.
select cron.alter_job(jobid, active := false) from cron.job where jobname = 'backup-weekly';
select backup.check() as verdict \gset
select is((select active from cron.job where jobname = 'backup-weekly'), false, 'what was switched off stays off');

-- The job.
select results_eq(
    $$ select schedule, command, active from cron.job where jobname = 'backup-daily' $$, $$ values ('23 6 * * *', 'select backup.check()', true) $$,
    'the migration schedules it'
);
select cron.alter_job(jobid, active := false) from cron.job where jobname = 'backup-daily';
select backup.schedule_check('0 7 * * *');
select results_eq(
    $$ select schedule, active from cron.job where jobname = 'backup-daily' $$, $$ values ('0 7 * * *', true) $$, 'it can be set right, and to another time'
);
select matches(tests.error_of($$ select backup.schedule_check('7') $$), '22023: Invalid schedule "7".*five fields', 'a bad schedule is refused');
set local role service_role;
select lives_ok('select backup.schedule_check()', 'service_role may');
reset role;

select * from finish();
rollback;
