-- Nothing is written into a public bucket: neither when it was public from the start, nor when somebody makes it so
-- while a run goes on.
begin;
select plan(14);

create function tests.publish(is_public boolean) returns void language sql as $$ update storage.buckets set public = is_public where id = 'backups' $$;
create function tests.end_of(run bigint) returns text language sql as $$ select format('%s %s', l.status, l.error_code) from backup.log l where l.id = run $$;

-- Before a run.
select tests.configure();
select tests.publish(true);
select is(
    tests.error_of('select backup.start()'),
    '55000: Cannot write backups into bucket "backups": it is public, so anybody who guesses a name downloads the whole database '
        '(Make it private: update storage.buckets set public = false where id = ''backups''. If a backup was in it, change the secrets that the database holds.)',
    'a start by hand is refused'
);
select is(backup.start('scheduled'), null, 'one by the clock, too');
select is((select error_code from backup.log order by id desc limit 1), 'bucket_public', 'and the log says why');
select is((select count(*) from net.http_request_queue), 0::bigint, 'nobody was called');

-- Before the first byte.
select tests.publish(false);
select backup.start() as run \gset
select tests.publish(true);
select is(tests.role_of(:run, 1), 'none', 'a worker that comes is sent away');
select is(tests.end_of(:run), 'failed bucket_public', 'and the run has failed');

-- While the planner works: its plan is refused.
select tests.publish(false);
select backup.start() as run \gset
select is(tests.role_of(:run, 1), 'plan', 'a private bucket is planned for');
select tests.publish(true);
select backup._store_plan(:run, tests.worker(1), tests.plan(1));
select is(tests.end_of(:run), 'failed bucket_public', 'a plan for a public one fails the run');

-- While slices are exported: the next heartbeat ends it.
select tests.publish(false);
select tests.planned_run(1) as run \gset
select ok(backup._heartbeat(:run, tests.worker(1)), 'a heartbeat goes on with a private bucket');
select tests.publish(true);
select ok(not backup._heartbeat(:run, tests.worker(1)), 'and not with a public one');
select is(tests.end_of(:run), 'failed bucket_public', 'the run has failed');

-- At the very end.
select tests.publish(false);
select tests.planned_run(1) as run \gset
select tests.export_all(:run, 1);
select backup._claim_finish(:run, tests.worker(1));
select tests.verify_all(:run, 1);
select tests.publish(true);
select lives_ok(format('select backup._succeed(%s, tests.worker(1), tests.ending())', :run), 'the finisher is told nothing else');
select is(tests.end_of(:run), 'failed bucket_public', 'and there is no success');
select is((select attempt from backup.log where id = :run), 1, 'nor another attempt');

select * from finish();
rollback;
