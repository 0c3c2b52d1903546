-- The plan of an attempt, and who holds its snapshot.
begin;
select plan(22);

select tests.configure();
select backup.configure(workers => 3);
select backup.start() as run \gset
select backup._redeem(tests.token());
select tests.enter(:run, 1);
select is(
    tests.error_of(format('select backup._store_plan(%s, tests.worker(2), tests.plan(3))', :run)),
    format(
        'BK001: Worker %s has lost its lease on run %s: the run ended or began another attempt '
            '(Stop; the run goes on without this worker.)',
        tests.worker(2), :run
    ),
    'who has not entered cannot plan'
);
select lives_ok(format('select backup._store_plan(%s, tests.worker(1), tests.plan(5))', :run), 'the planner can');
select is((select count(*) from backup.slices), 5::bigint, 'its slices are stored');
select is(
    (select row(number, first_part, estimated_bytes, pieces, worker, tries)::text from backup.slices where number = 2),
    row(2, 9, 1000000, '[2]'::jsonb, null, 0)::text, 'as they were given'
);
select is(
    (select row(name, slice_number, bytes, sha256)::text from backup.parts),
    row('00000.dump', null, 5000, tests.sha256('head'))::text, 'so is the part that holds the table of contents'
);
select is(
    (select row(worker, estimated_bytes, facts)::text from backup.plans),
    row(tests.worker(1), 5000000, '{"database": "postgres"}'::jsonb)::text, 'and the rest'
);
select is(
    (select row(phase, server_version, tables, warnings)::text from tests.run(:run)),
    row('exporting', '15.18', 3, '[]'::jsonb)::text, 'the log knows what is exported'
);
select is(
    (select row(snapshot, held_at is not null)::text from backup.workers), row('00000003-00000001-1', true)::text,
    'the planner is the first holder'
);
select is(
    (tests.run(:run)).progress,
    '{
        "slices": 5, "slices_done": 0, "expected_invocations": 1, "estimated_bytes": 5000000, "estimated_bytes_done": 0, "rows": 0, "raw_bytes": 0,
        "stored_bytes": 0, "workers": 1, "doing": []
    }'::jsonb,
    'the progress stands at the beginning'
);
select is(tests.calls(:run), 3::bigint, 'as many workers are called as the settings say, less the planner');
select backup._store_plan(:run, tests.worker(1), tests.plan(5));
select is(tests.calls(:run), 3::bigint, 'storing a plan twice does nothing twice');

select throws_ok(
    format($$ select backup._publish_snapshot(%s, tests.worker(9), 'x') $$, :run), 'BK001', null, 'who has not entered cannot hold'
);
select tests.enter(:run, 2);
select backup._publish_snapshot(:run, tests.worker(2), '00000004-00000001-1');
select is(
    (select array_agg(snapshot order by held_at desc) from backup.live_workers), array['00000004-00000001-1', '00000003-00000001-1'],
    'a second holder'
);
select tests.die(1);
select is((select array_agg(id) from backup.live_workers), array[tests.worker(2)], 'a dead worker does not live');
select tests.fall_silent(2);
select is(
    (select row(working, snapshot)::text from backup.live_workers), row(false, '00000004-00000001-1')::text,
    'a silent one does not work, but its snapshot is there'
);
select backup.cancel(:run);
select is_empty('select from backup.live_workers', 'when the run has ended nobody works on it');

-- Malformed plans are refused whole.
select backup.start() as run \gset
select tests.enter(:run, 1);
select throws_ok(
    format($$ select backup._store_plan(%s, tests.worker(1), tests.plan(2) || '{"parts": [{"name": "a.dump", "bytes": 1, "sha256": "x"}]}') $$, :run),
    '23514', null, 'a part has five digits and a checksum'
);
select throws_ok(
    format($$ select backup._store_plan(%s, tests.worker(1), tests.plan(2) - 'estimated_bytes') $$, :run), '23502', null, 'an estimate is needed'
);
select is((select count(*) from backup.slices), 0::bigint, 'nothing of them stays');
select is((tests.run(:run)).phase, 'planning', 'the run is still to be planned');
select lives_ok(format('select backup._store_plan(%s, tests.worker(1), tests.plan(0))', :run), 'a database without tables has no slices');
select is((backup._claim_finish(:run, tests.worker(1))) ->> 'slices', '[]', 'and can be finished at once');

select * from finish();
rollback;
