-- The end of a run: one finisher, nothing unverified, and what rotation reports.
begin;
select plan(56);

select tests.planned_run(2) as run \gset
select tests.claim(:run, 1);
select is(backup._claim_finish(:run, tests.worker(1)), null, 'nobody finishes while a slice is unfinished');
select tests.finish_slice(:run, 1, 0);
select tests.export_all(:run, 1);
select is(backup._claim_finish(:run, tests.worker(9)), null, 'nor who has not entered');
select backup._claim_finish(:run, tests.worker(1)) as finish \gset
select is(
    (select array_agg(key order by key) from jsonb_object_keys(:'finish'::jsonb) key),
    array['facts', 'log', 'parts', 'run', 'settings', 'slices'], 'the finisher gets all that it needs'
);
select is(
    :'finish'::jsonb -> 'slices' -> 1,
    '{
        "number": 1, "first_part": 5, "pieces": [1], "result": {"rows": 10, "raw_bytes": 3000, "stored_bytes": 1000, "pieces": []}
    }'::jsonb,
    'slices with their results'
);
select is(
    (select array_agg(part ->> 'name') from jsonb_array_elements(:'finish'::jsonb -> 'parts') part),
    array['00000.dump', '00001.dump', '00005.dump'], 'parts in archive order'
);
select is(
    (:'finish'::jsonb -> 'parts' -> 1) - '{stored_at}'::text[],
    jsonb_build_object('name', '00001.dump', 'bytes', 1000, 'sha256', tests.sha256('0'), 'slice_number', 0, 'verified_at', null),
    'with their checksums'
);
select is(:'finish'::jsonb -> 'facts', '{"database": "postgres"}', 'the planner''s facts');
select is(:'finish'::jsonb -> 'run' ->> 'name', (tests.run(:run)).name, 'the run');
select is(:'finish'::jsonb -> 'run' ? 'settings', false, 'once');
select is(:'finish'::jsonb -> 'log' -> -1 ->> 'status', 'running', 'the log, this run included');
select is((tests.run(:run)).phase, 'finishing', 'the phase says so');
select isnt(backup._claim_finish(:run, tests.worker(1)), null, 'it may ask again');

-- Another finisher takes over.
select is(tests.role_of(:run, 2), 'none', 'nobody finishes beside it');
select tests.fall_silent(1);
select is(tests.role_of(:run, 2), 'finish', 'when it falls silent another may');
select isnt(backup._claim_finish(:run, tests.worker(2)), null, 'and takes the finish');
select is(backup._heartbeat(:run, tests.worker(1)), false, 'the first has lost its place');
select throws_ok(
    format($$ select backup._mark_part_verified(%s, tests.worker(1), '00000.dump') $$, :run), 'BK001', null, 'and vouches for no part'
);
select throws_ok(format('select backup._succeed(%s, tests.worker(1), tests.ending())', :run), 'BK001', null, 'nor for the run');
select tests.die(2);
select is(tests.role_of(:run, 3), 'finish', 'also when its session ends');
select isnt(backup._claim_finish(:run, tests.worker(3)), null, 'another takes it');
select is(
    backup._heartbeat(:run, tests.worker(2)), false, 'a finisher whose session is gone does not go on beside it'
);
select is(
    (select array_agg(error ->> 'code' order by id) from backup.workers where error is not null), array['lease_lost', 'worker_ended'],
    'what became of the two is kept'
);
select is(backup._worker_died(tests.run(:run)), true, 'and the second was a death');

-- Closing parts and verification.
select lives_ok(
    format($$ select backup._record_part(%s, tests.worker(3), null, '00004.dump', 20, tests.sha256('close')) $$, :run), 'the finisher stores closing parts'
);
select is(
    tests.error_of(format('select backup._succeed(%s, tests.worker(3), tests.ending())', :run)),
    format(
        '55000: Run %s cannot succeed: 4 parts are not verified '
            '(Read every part back and record it with backup._mark_part_verified() first.)', :run
    ),
    'no success with parts that were not read back'
);
select is(
    tests.error_of(format($$ select backup._mark_part_verified(%s, tests.worker(3), '99999.dump') $$, :run)),
    format('P0002: Run %s has no part "99999.dump" (Record the part with backup._record_part() first.)', :run),
    'a part that was not recorded is not verified'
);
select throws_ok(
    format($$ select backup._mark_part_verified(%s, tests.worker(9), '00000.dump') $$, :run), 'BK001', null, 'only the finisher verifies'
);
select tests.verify_all(:run, 3);
select is((select count(*) from backup.parts where verified_at is null), 0::bigint, 'all parts are verified');
select backup._record_part(:run, tests.worker(3), null, '00004.dump', 20, tests.sha256('close'));
select is((select count(*) from backup.parts where verified_at is null), 1::bigint, 'a part that is stored again is not');
select backup._mark_part_verified(:run, tests.worker(3), '00004.dump');
select is(
    backup._heartbeat(:run, tests.worker(3), '{"phase": "rotating"}'), true, 'the finisher says what it does'
);
select is((tests.run(:run)).phase, 'rotating', 'and the log shows it');
select backup._heartbeat(:run, tests.worker(3), '{"phase": "sleeping"}');
select is((tests.run(:run)).phase, 'rotating', 'other words are no phases');

-- Success.
update backup.settings set budget_halvings = 2;
select lives_ok(format('select backup._succeed(%s, tests.worker(3), tests.ending())', :run), 'the run succeeds');
select is(
    (
        select row(l.status, l.phase, l.rows, l.raw_bytes, l.stored_bytes, l.parts, l.checksum, l.verified_at is not null, l.finished_at is not null)::text
        from tests.run(:run) l
    ),
    row('succeeded', null, 20, 6000, 7000, 3, tests.sha256('manifest'), true, true)::text, 'with its totals'
);
select is((tests.run(:run)).warnings, (tests.ending() -> 'warnings'), 'and its warnings');
select is((select budget_halvings from backup.settings), 2, 'a run in which a worker died does not raise the budgets');
select tests.commit();
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'the watch-dog sleeps');
select lives_ok(format('select backup._succeed(%s, tests.worker(3), tests.ending())', :run), 'reporting twice is not an error');
select throws_ok(
    format('select backup._succeed(%s, tests.worker(1), tests.ending())', :run), 'BK001', null, 'for the finisher only'
);
select is(backup._fail(:run, tests.worker(3), '{"code": "late"}', true), false, 'a success cannot fail any more');
select is((tests.run(:run)).status, 'succeeded', 'it stays one');
select is(backup._release(:run, tests.worker(3)), true, 'the finisher may go');

-- A run without a death takes a halving back; a stale worker has no say in the attempt after its own.
select tests.planned_run(1) as run \gset
select tests.export_all(:run, 1);
select backup._claim_finish(:run, tests.worker(1));
select tests.verify_all(:run, 1);
select backup._succeed(:run, tests.worker(1), tests.ending());
select is((select budget_halvings from backup.settings), 1, 'a run without a death takes one halving back');
select tests.planned_run(1) as run \gset
select tests.export_all(:run, 1);
select backup._claim_finish(:run, tests.worker(1));
select tests.enter(:run, 2);
select is(backup._fail(:run, tests.worker(1), '{"code": "storage_failed", "message": "m", "hint": "h"}', true), true, 'a failure begins another attempt');
select tests.enter(:run, 3);
select backup._store_plan(:run, tests.worker(3), tests.plan(1, '00000009-00000001-1'));
select throws_ok(
    format($$ select backup._mark_part_verified(%s, tests.worker(1), '00000.dump') $$, :run), 'BK001', null,
    'the finisher of an earlier attempt vouches for none of its parts'
);
select is((select count(verified_at) from backup.parts), 0::bigint, 'they are still to be read back');

-- What rotation has removed.
select name as kept from backup.log where status = 'succeeded' order by id limit 1 \gset
select name as active from backup.log where finished_at is null \gset
select backup.pin(:'kept');
select lives_ok(format('select backup._mark_removed(%L)', :'kept'), 'rotation reports a removal, also of what was pinned too late');
select is(
    (select row(removed_at is not null, pinned)::text from backup.log where name = :'kept'), row(true, false)::text, 'the log says that it is gone'
);
select removed_at as at from backup.log where name = :'kept' \gset
select backup._mark_removed(:'kept');
select is((select removed_at from backup.log where name = :'kept'), :'at'::timestamptz, 'reporting twice changes nothing');
select lives_ok($$ select backup._mark_removed('backup-20200101-000000-2') $$, 'a folder of an earlier attempt has no row');
select backup._mark_removed(:'active');
select is((select removed_at from backup.log where name = :'active'), null, 'an active run is not removed');
select is(
    tests.error_of(format('select backup.pin(%L)', :'kept')),
    format(
        'P0002: Backup "%s" is not stored (See the stored backups with: select name from backup.log where status = ''succeeded'' and removed_at is null)', :'kept'
    ),
    'what is gone cannot be pinned'
);

-- Pinning.
select name as kept from backup.log where status = 'succeeded' and removed_at is null order by id limit 1 \gset
set local role service_role;
select backup.pin(:'kept');
select is((select pinned from backup.log where name = :'kept'), true, 'pin() keeps a backup');
select backup.pin(:'kept');
select backup.unpin(:'kept');
select is((select pinned from backup.log where name = :'kept'), false, 'unpin() gives it back');
reset role;
select matches(tests.error_of(format('select backup.pin(%L)', :'active')), '^P0002', 'a run under way is not a backup');
select matches(tests.error_of('select backup.pin(null)'), '^P0002', 'null is none');

select * from finish();
rollback;
