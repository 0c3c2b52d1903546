-- Workers enter: who gets which role, and what a worker must be to be let in.
begin;
select plan(41);

select tests.configure();
select backup.start() as run \gset

select matches(
    tests.error_of(format('select backup._register(%s, tests.worker(1), -1)', :run)),
    '^55000: Cannot register worker .* for run .*: no session has process -1 \(Connect to the database directly',
    'a worker without a session is refused'
);
select matches(tests.error_of('select tests.enter(999999, 1)'), '^P0002', 'so is a run that does not exist');

-- A call whose worker died on its way in, and the one after it.
insert into backup.calls (hash, purpose, run_id, request_id, created_at, expires_at, used_at)
values (sha256('lost'), 'run', :run, 0, now() - interval '1 minute', now(), now() - interval '50 seconds');
select backup._redeem(tests.token());
select tests.enter(:run, 1) as place \gset
select is((select worker from backup.calls where hash = sha256('lost')), null, 'a worker comes of its own call, not of one that was lost');
delete from backup.calls where hash = sha256('lost');
select is(:'place'::jsonb ->> 'role', 'plan', 'the first worker plans');
select is(
    :'place'::jsonb -> 'run' ->> 'name', (tests.run(:run)).name, 'it learns the run''s name'
);
select is(
    (:'place'::jsonb -> 'run') - '{name,started_at}'::text[],
    jsonb_build_object('id', :run, 'attempt', 1, 'trigger', 'manual'),
    'and the rest of it'
);
select is(:'place'::jsonb -> 'snapshots', '[]', 'no snapshot yet');
select is(:'place'::jsonb -> 'settings', (tests.run(:run)).settings, 'the attempt''s settings');
select is(
    (select row(l.status, l.phase, l.invocations, l.heartbeat_at is not null)::text from tests.run(:run) l),
    row('running', 'planning', 1, true)::text, 'the log says so'
);
select is((select worker from backup.calls), tests.worker(1), 'the call has come to something');
select is(tests.role_of(:run, 2), 'none', 'nobody plans beside it');
select is((select count(*) from backup.workers), 1::bigint, 'who is sent away is not registered');

-- Asking twice.
select is(tests.role_of(:run, 1), 'plan', 'the same worker may ask again');
select is((tests.run(:run)).invocations, 1, 'and is counted once');
select backup.dispatch(:run);
select backup._redeem(tests.token());
select tests.enter(:run, 1);
select is((select count(*) from backup.calls where worker is null), 1::bigint, 'nor does it take the call of another');

-- A planner that dies, and one that is slow.
select tests.die(1);
select is(tests.role_of(:run, 2), 'plan', 'a dead planner''s place is free');
select tests.fall_silent(2);
select is(tests.role_of(:run, 3), 'plan', 'so is that of one that has been silent for too long');
select backup._store_plan(:run, tests.worker(3), tests.plan(3));
select is(
    tests.error_of(format('select backup._store_plan(%s, tests.worker(2), tests.plan(3))', :run)),
    format('BK001: Worker %s cannot plan run %s: another worker has planned it (Stop; the run goes on without this worker.)', tests.worker(2), :run),
    'the slow one learns that it was too late'
);

-- Exporting: two workers by default.
select backup._release(:run, tests.worker(2));
select is(tests.claim(:run, 3), 0, 'the planner goes on exporting');
select tests.enter(:run, 4) as place \gset
select is(:'place'::jsonb ->> 'role', 'export', 'a second worker exports');
select is(:'place'::jsonb -> 'snapshots', '["00000003-00000001-1"]', 'with the planner''s snapshot');
update backup.slices
set pieces = case number
    when 0 then '[{"table": "public.a"}, {"table": "public.\"B c\""}]'
    when 1 then '[{"table": "public.a"}]'
    else '[{"table": "pg_catalog.pg_largeobject_metadata", "largeObjects": true}]'
end::jsonb;
select set_eq(
    format('select unnest(backup._tables_to_lock(%s))', :run), array['public.a', 'public."B c"'], 'and locks the tables that are to be read; large objects cannot be'
);
select lives_ok(format($$ select backup._publish_snapshot(%s, tests.worker(4), '00000004-00000001-1') $$, :run), 'it holds the snapshot then');
select is(tests.role_of(:run, 5), 'none', 'a third is one too many');
select tests.fall_silent(3);
select tests.enter(:run, 5) as place \gset
select is(:'place'::jsonb ->> 'role', 'export', 'when one falls silent its place is free');
select is(
    :'place'::jsonb -> 'snapshots', '["00000004-00000001-1", "00000003-00000001-1"]',
    'the snapshots are the newest holder''s first, and a silent holder''s is still good'
);
select is(
    (tests.enter(:run, 4)) -> 'snapshots', '["00000003-00000001-1"]', 'nobody is offered its own'
);
select is(
    (select row(snapshot, role)::text from backup.workers where id = tests.worker(4)),
    row('00000004-00000001-1', 'export')::text, 'asking again costs a holder nothing'
);
select tests.export_all(:run, 4);
select is(tests.role_of(:run, 6), 'finish', 'when all slices are finished the next worker finishes');
select is(tests.role_of(:run, 7), 'none', 'one is enough');

-- A worker comes back in the next attempt.
select tests.planned_run(2) as run from (select backup.cancel(:run)) ended \gset
select tests.die(1);
select tests.enter(:run, 8) as place \gset
select is(:'place'::jsonb ->> 'role', 'plan', 'who enters an attempt whose snapshot is lost plans the next one');
select is(:'place'::jsonb -> 'run' ->> 'name', (tests.run(:run)).name, 'under its new name');
select matches((tests.run(:run)).name, '-2$', 'which has the attempt''s number');
select is((:'place'::jsonb -> 'run' ->> 'attempt')::integer, 2, 'and it is told the attempt');
update backup.workers set backend_start = (select backend_start from pg_stat_activity where pid = pg_backend_pid());
select is(
    backup._heartbeat(:run, tests.worker(1)), false, 'a worker of the attempt before has no place'
);
select tests.fall_silent(8);
select is(tests.role_of(:run, 1), 'plan', 'but may enter the new one');
select is(
    (select row(attempt, snapshot, held_at)::text from backup.workers where id = tests.worker(1)), row(2, null, null)::text,
    'without the old snapshot, which nobody must import into the new attempt'
);
select is(backup._heartbeat(:run, tests.worker(1)), true, 'and then has a place again');
select tests.enter(:run, 8) -> 'snapshots' as snapshots \gset
select is(:'snapshots'::jsonb, '[]', 'no snapshot is offered before there is a plan');

-- One that left is a new worker when it comes back.
select backup._store_plan(:run, tests.worker(8), tests.plan(2));
select backup._publish_snapshot(:run, tests.worker(1), '00000005-00000001-1');
select backup._release(:run, tests.worker(1));
select is(tests.role_of(:run, 1), 'export', 'who has left may come back');
select is((select snapshot from backup.workers where id = tests.worker(1)), null, 'without the snapshot that it let go');

select * from finish();
rollback;
