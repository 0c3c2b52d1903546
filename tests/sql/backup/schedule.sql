-- The weekly job: there is one, it belongs to the owner of the schema, and changing it is one call.
begin;
select plan(19);

select is(
    (select row(j.schedule, j.command, j.username, j.active)::text from cron.job j where j.jobname = 'backup-weekly'),
    row('0 3 * * 0', $$select backup.start('scheduled')$$, 'postgres', true)::text,
    'the migration has scheduled Sundays at three'
);
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'no watch-dog without a run');

select is(
    backup.schedule('30 2 * * *'), (select jobid from cron.job where jobname = 'backup-weekly'), 'schedule() answers the job''s number'
);
select is((select schedule from cron.job where jobname = 'backup-weekly'), '30 2 * * *', 'scheduling again changes the time');
select is((select count(*) from cron.job where jobname = 'backup-weekly'), 1::bigint, 'and makes no second job');

select is(
    tests.error_of($$ select backup.schedule('30 2 * * * *') $$),
    '22023: Invalid schedule "30 2 * * * *": it is not a cron schedule of five fields, or never fires '
        || '(Give minute, hour, day of month, month and day of week (UTC), such as 0 3 * * 0 for Sundays at three.)',
    'a sixth field, which pg_cron would ignore, is refused'
);
select matches(tests.error_of('select backup.schedule(null)'), '^22023: Invalid schedule', 'null is refused');
select is((select schedule from cron.job where jobname = 'backup-weekly'), '30 2 * * *', 'a refusal changes nothing');

-- A restored database has its jobs inactive.
select cron.alter_job((select jobid from cron.job where jobname = 'backup-weekly'), active := false);
select backup.schedule('0 4 * * 1');
select ok((select active from cron.job where jobname = 'backup-weekly'), 'scheduling switches an inactive job on');

set local role service_role;
select lives_ok($$ select backup.schedule(' 0 5  * * 1 ') $$, 'service_role may schedule');
reset role;
select is(
    (select username from cron.job where jobname = 'backup-weekly'), 'postgres', 'the job still belongs to the owner of the schema'
);
select is((select schedule from cron.job where jobname = 'backup-weekly'), '0 5  * * 1', 'blanks around a schedule are dropped');

select is(backup.unschedule(), true, 'unschedule() ends it');
select is((select count(*) from cron.job where jobname = 'backup-weekly'), 0::bigint, 'the job is gone');
select is(backup.unschedule(), false, 'there is nothing to end twice');
set local role service_role;
select lives_ok($$ select backup.schedule('0 3 * * 0') $$, 'it can be scheduled again');
select is(backup.unschedule(), true, 'service_role may unschedule');
reset role;

-- The watch-dog's job.
select backup._keep_watching(true);
select backup._keep_watching(true);
select is(
    (select row(count(*), min(j.schedule), min(j.command), bool_and(j.active))::text from cron.job j where j.jobname = 'backup-watch'),
    row(1, '* * * * *', 'select backup.watch()', true)::text,
    'the watch-dog is called every minute, once'
);
select backup._keep_watching(false);
select backup._keep_watching(false);
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'and can be sent to sleep twice');

select * from finish();
rollback;
