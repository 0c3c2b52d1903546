-- Workers leave: the baton is never on the floor.
begin;
select plan(26);

select tests.planned_run(4) as run \gset
select tests.claim(:run, 1);
select tests.pass(interval '1 minute');
update backup.workers set lease_until = clock_timestamp() + interval '1 minute';
select is(backup._release(:run, tests.worker(1)), false, 'the last holder stays while slices are unfinished');
select is((select count(worker) from backup.slices), 0::bigint, 'its claims go back at once');
select is((select max(tries) from backup.slices), 0, 'and do not count as tries');
select is(tests.calls(:run), 4::bigint, 'successors are called');
select is(backup._release(:run, tests.worker(1)), false, 'asking again');
select is(tests.calls(:run), 4::bigint, 'calls no further ones while they may come');
select is((select working from backup.live_workers), false, 'it does not count as working');

select is(tests.role_of(:run, 2), 'export', 'a successor enters');
select is(backup._release(:run, tests.worker(1)), false, 'which does not hold the snapshot yet');
select backup._publish_snapshot(:run, tests.worker(2), '00000004-00000001-1');
select is(backup._release(:run, tests.worker(1)), true, 'when it does the first may leave');
select is((select count(*) from backup.live_workers), 1::bigint, 'and has left');
select is(backup._release(:run, tests.worker(1)), true, 'leaving twice is not an error');
select throws_ok(format($$ select backup._publish_snapshot(%s, tests.worker(1), 'x') $$, :run), 'BK001', null, 'who has left has no place');
select is(tests.claim(:run, 1), null, 'and gets no slice');

-- Two successors in turn, a worker that does not hold, and the end.
select tests.enter(:run, 3);
select is(backup._release(:run, tests.worker(3)), true, 'who does not hold the snapshot may always leave');
select tests.enter(:run, 4);
select backup._publish_snapshot(:run, tests.worker(4), '00000005-00000001-1');
select tests.fall_silent(2);
select is(backup._release(:run, tests.worker(4)), false, 'a holder that has fallen silent is not to be trusted with the snapshot');
select backup._heartbeat(:run, tests.worker(2));
select is(backup._release(:run, tests.worker(4)), true, 'one that is back is');
select tests.export_all(:run, 2);
select is(backup._release(:run, tests.worker(2)), true, 'with no slice unfinished nobody has to hold it');
select is((select count(*) from backup.calls where worker is null and used_at is null) > 0, true, 'a finisher is called');

-- With an error.
select backup.cancel(:run);
select tests.planned_run(4) as run \gset
select tests.claim(:run, 1);
select is(
    backup._release(:run, tests.worker(1), '{"code": "worker_ended", "message": "the isolate ends", "hint": "h"}'), false,
    'a worker that gives up still holds the snapshot if it can'
);
select is((select max(tries) from backup.slices), 1, 'its slice counts as tried');
select is((select error ->> 'code' from backup.workers), 'worker_ended', 'its reason is kept');
select backup._release(:run, tests.worker(1), '{"code": "other", "message": "m"}');
select is((select error ->> 'code' from backup.workers), 'worker_ended', 'the first one');
select tests.enter(:run, 2);
select backup._publish_snapshot(:run, tests.worker(2), '00000004-00000001-1');
select is(backup._release(:run, tests.worker(1)), true, 'it goes when another holds');
select tests.export_all(:run, 2);
select is((backup._claim_finish(:run, tests.worker(2))) is not null, true, 'the run comes to its end without it');
select is(backup._worker_died(tests.run(:run)), true, 'and knows that a worker has died');

select * from finish();
rollback;
