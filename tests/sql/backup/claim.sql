-- Slices: who gets which, what is recorded of them, and what a worker may no longer do that has lost one.
begin;
select plan(42);

select tests.planned_run(5) as run \gset
update backup.slices set estimated_bytes = 5000000 where number = 1;
select is(
    backup._claim_slice(:run, tests.worker(1), null),
    '{"number": 0, "first_part": 1, "estimated_bytes": 1000000, "pieces": [0]}'::jsonb, 'a claim answers the slice'
);
select tests.enter(:run, 2);
select is(tests.claim(:run, 2, 4000000), 2, 'only a slice within the bytes that are left is given');
select is(tests.claim(:run, 2), 1, 'the first slice always fits');
select is(backup._claim_slice(:run, tests.worker(2), 10), null, 'when none fits there is none');
select is(tests.claim(:run, 9), null, 'who has not entered gets none');

-- Parts.
select lives_ok(
    format($$ select backup._record_part(%s, tests.worker(1), 0, '00001.dump', 700, tests.sha256('a')) $$, :run), 'the owner of a slice records its parts'
);
select backup._record_part(:run, tests.worker(1), 0, '00001.dump', 800, tests.sha256('b'));
select is(
    (select row(bytes, sha256)::text from backup.parts where name = '00001.dump'), row(800, tests.sha256('b'))::text,
    'recording again is not an error'
);
select is(
    tests.error_of(format($$ select backup._record_part(%s, tests.worker(2), 0, '00002.dump', 700, tests.sha256('a')) $$, :run)),
    format(
        'BK001: Cannot record part "00002.dump" of run %2$s: worker %1$s does not have slice 0 '
            '(The slice is finished or another worker has it. Claim the next one.)',
        tests.worker(2), :run
    ),
    'nobody else does'
);
select throws_ok(
    format($$ select backup._record_part(%s, tests.worker(1), null, '00004.dump', 700, tests.sha256('a')) $$, :run), 'BK001', null,
    'closing parts are the finisher''s'
);
select throws_ok(
    format($$ select backup._record_part(%s, tests.worker(1), 0, '../1.dump', 700, tests.sha256('a')) $$, :run), '23514', null,
    'the name is five digits'
);

-- Finishing.
select is(tests.finish_slice(:run, 1, 0), true, 'the owner finishes its slice');
select is(tests.finish_slice(:run, 2, 2), true, 'so does the other');
select is(
    backup._finish_slice(:run, tests.worker(1), 0, '{"rows": 99}'), true, 'finishing twice is not an error'
);
select is((select result ->> 'rows' from backup.slices where number = 0), '10', 'and changes nothing');
select is(backup._finish_slice(:run, tests.worker(1), 1, '{}'), false, 'a slice of another is not finished');
select throws_ok(
    format($$ select backup._record_part(%s, tests.worker(1), 0, '00001.dump', 700, tests.sha256('a')) $$, :run), 'BK001', null,
    'a finished slice takes no more parts'
);
select is(
    (tests.run(:run)).progress - '{doing}'::text[],
    '{
        "slices": 5, "slices_done": 2, "expected_invocations": 1, "estimated_bytes": 9000000, "estimated_bytes_done": 2000000,
        "rows": 20, "raw_bytes": 6000, "stored_bytes": 2000, "workers": 2
    }'::jsonb,
    'the log knows how far the run is'
);

-- A sign of life.
select is(
    backup._heartbeat(:run, tests.worker(2), '{"slice": 1, "table": "public.a", "rows": 7, "raw_bytes": 700}'), true, 'a worker says what it is at'
);
select is(
    (select row(l.progress -> 'rows', l.progress -> 'raw_bytes', l.progress -> 'doing' -> 0 ->> 'table')::text from tests.run(:run) l),
    row(27, 6700, 'public.a')::text, 'which counts as progress'
);
update backup.workers set lease_until = clock_timestamp() + interval '1 second' where id = tests.worker(2);
select backup._heartbeat(:run, tests.worker(2));
select ok(
    (select lease_until > clock_timestamp() + interval '50 seconds' from backup.workers where id = tests.worker(2)),
    'and extends the lease by lease_seconds'
);
select is(backup._heartbeat(:run, tests.worker(9)), false, 'a stranger has no lease');

-- The owner of slice 1 falls silent, and another takes it over.
select backup._record_part(:run, tests.worker(2), 1, '00005.dump', 700, tests.sha256('old'));
select is(tests.claim(:run, 1), 3, 'a claimed slice is not given twice');
select tests.finish_slice(:run, 1, 3);
select tests.fall_silent(2);
select is(tests.claim(:run, 1), 4, 'slices that nobody has tried come first');
select tests.finish_slice(:run, 1, 4);
select is(tests.claim(:run, 1), 1, 'then those whose owner no longer works');
select is((select tries from backup.slices where number = 1), 2, 'for the second time');
select is_empty($$ select from backup.parts where slice_number = 1 $$, 'what the former owner stored is stored again');
select is(backup._heartbeat(:run, tests.worker(2)), false, 'one that was taken for dead goes on, and has lost its place');
select throws_ok(
    format($$ select backup._record_part(%s, tests.worker(2), 1, '00005.dump', 700, tests.sha256('a')) $$, :run), 'BK001', null,
    'but cannot record parts of the slice'
);
select is(backup._finish_slice(:run, tests.worker(2), 1, '{}'), false, 'nor finish it');
select is((select worker from backup.slices where number = 1), tests.worker(1), 'the slice stays where it is');
select is(tests.finish_slice(:run, 1, 1), true, 'the new owner finishes it');
select is(tests.claim(:run, 1), null, 'and nothing is left');

-- A slice that kills its workers.
select backup.cancel(:run);
select tests.planned_run(2) as run \gset
select tests.claim(:run, 1);
select tests.fall_silent(1);
select tests.enter(:run, 2);
select tests.enter(:run, 3);
select is(tests.claim(:run, 2), 1, 'one that was tried comes after one that was not');
select tests.finish_slice(:run, 2, 1);
update backup.slices set pieces = '[{"table": "public.stored"}]' where number = 1;
update backup.slices set pieces = '[{"table": "public.giant"}]', estimated_bytes = 96 << 20 where number = 0;
select is(backup._tables_to_lock(:run), array['public.giant'], 'who joins the snapshot locks what is to be read, and nothing that is stored');
select is(tests.claim(:run, 2), 0, 'it is tried again');
select tests.fall_silent(2);
select is(tests.claim(:run, 3), 0, 'and a third time');
select tests.fall_silent(3);
select tests.enter(:run, 4);
select is(tests.claim(:run, 4), null, 'and then no more');
select backup._reconcile_run(:run);
select is((tests.run(:run)).attempt, 2, 'but the attempt ends');
select matches(
    (tests.run(:run)).attempts -> 0 -> 'error' ->> 'message', '; they failed on: public\.giant$', 'and its error names the tables of the slice'
);
select matches(
    (tests.run(:run)).attempts -> 0 -> 'error' ->> 'hint', '^A slice of public\.giant cannot be smaller than 96 MB, because .* a whole row.* Keep such values in Storage',
    'and says what to do when it is a row that is too large'
);

-- Tables that are not cut.
select backup.cancel(:run);
select tests.planned_run(4) as run \gset
update backup.slices
set pieces = case number when 2 then '[{"first": true, "last": true}, {"first": true, "last": false}]' else '[{"first": true, "last": false}]' end::jsonb;
select is(tests.claim(:run, 1), 2, 'whole tables are exported first');
select is(tests.claim(:run, 1), 0, 'then pieces of large ones');

select * from finish();
rollback;
