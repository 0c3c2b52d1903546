-- Attempts end: what the next one begins with, what budgets do, and when a run has failed.
begin;
select plan(44);

-- All holders die.
select tests.planned_run(3) as run \gset
select tests.claim(:run, 1);
select (tests.run(:run)).name as first_name \gset
select tests.die(1);
select tests.pass(interval '1 minute');
select backup._reconcile_run(:run);
select is(
    (select row(l.attempt, l.status, l.phase, l.warnings, l.server_version, l.tables)::text from tests.run(:run) l),
    row(2, 'running', 'planning', '[]'::jsonb, null, null)::text, 'an attempt whose snapshot is lost begins anew'
);
select is((tests.run(:run)).name, :'first_name' || '-2', 'in a folder of its own');
select is((select count(*) from backup.plans) + (select count(*) from backup.slices), 0::bigint, 'without plan and slices');
select is(
    ((tests.run(:run)).attempts -> 0) - '{ended_at}'::text[],
    jsonb_build_object(
        'attempt', 1, 'name', :'first_name', 'phase', 'exporting', 'worker_died', true, 'slice_bytes', 20000000, 'invocation_bytes', 100000000,
        'error', jsonb_build_object(
            'code', 'snapshot_lost',
            'message', 'All workers that held the snapshot ended with 3 slices unfinished',
            'hint', 'Workers end when the platform stops them or the database restarts. Check the logs of the function.'
        )
    ),
    'the log keeps what became of the first'
);
select is((select budget_halvings from backup.settings), 1, 'a death halves the budgets');
select is(
    (select row(l.settings ->> 'slice_bytes', l.settings ->> 'invocation_bytes')::text from tests.run(:run) l),
    row('10000000', '50000000')::text, 'of the attempt that follows'
);
select is(tests.calls(:run), 3::bigint, 'a planner is called for it');
select tests.enter(:run, 2);
select is((select count(*) from backup.live_workers), 1::bigint, 'workers of the first attempt are none of the second');
select is(backup._heartbeat(:run, tests.worker(1)), false, 'they stop');
select is((tests.run(:run)).invocations, 2, 'but are counted');

-- A restart of the server ends sessions, and says nothing about budgets.
select backup._store_plan(:run, tests.worker(2), tests.plan(3));
update backup.workers set backend_start = pg_postmaster_start_time() - interval '1 second' where id = tests.worker(2);
select backup._reconcile_run(:run);
select is((tests.run(:run)).attempt, 3, 'a restart of the server ends the attempt');
select is((select budget_halvings from backup.settings), 1, 'and no budget is halved for it');

-- The last attempt.
select tests.enter(:run, 3);
select is(
    backup._fail(:run, tests.worker(3), '{"code": "storage_failed", "message": "Storage answered 503", "hint": "Look."}', true), false,
    'after max_attempts there is no other'
);
select is(
    (select row(l.status, l.error_code, l.error_message, l.error_hint, jsonb_array_length(l.attempts))::text from tests.run(:run) l),
    row('failed', 'storage_failed', 'Storage answered 503', 'Look.', 3)::text, 'the run has failed with the reason of the last'
);
select tests.commit();
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'the watch-dog sleeps');
select is((tests.run(:run)).phase, 'planning', 'the phase says where it ended');

-- An error that another attempt would meet again.
select tests.planned_run(3) as run \gset
select is(
    backup._fail(:run, tests.worker(1), '{"code": "row_too_large", "message": "public.a", "hint": "h"}', false), false,
    'without retry the run fails at once'
);
select is((tests.run(:run)).status, 'failed', 'for good');
select is(backup._fail(:run, tests.worker(1), '{"code": "again"}', true), false, 'failing twice changes nothing');
select is((tests.run(:run)).error_code, 'row_too_large', 'the first reason stays');
select tests.planned_run(3) as run \gset
select backup._fail(:run, tests.worker(1), null, false);
select is(
    (select row(error_code, error_message)::text from tests.run(:run)), row('internal', 'The function gave no reason')::text,
    'no reason is a reason too'
);

-- A worker that fails is not a death; one that reports its end is.
update backup.settings set budget_halvings = 0;
select tests.planned_run(3) as run \gset
select backup._fail(:run, tests.worker(1), '{"code": "lock_timeout", "message": "m", "hint": "h"}', true);
select tests.die(1);
select is((select budget_halvings from backup.settings), 0, 'a failure halves nothing');
select tests.enter(:run, 2);
select backup._store_plan(:run, tests.worker(2), tests.plan(1));
select backup._release(:run, tests.worker(2), '{"code": "worker_ended", "message": "the isolate ends", "hint": "h"}');
update backup.workers set left_at = clock_timestamp() where id = tests.worker(2);
select backup._reconcile_run(:run);
select is((tests.run(:run)).attempt, 3, 'an isolate that is stopped takes the snapshot with it');
select is((select budget_halvings from backup.settings), 1, 'and halves the budgets');
select is((tests.run(:run)).attempts -> 1 ->> 'worker_died', 'true', 'which the log shows');

-- A worker that came too late for one holder's snapshot ends nothing while another holds it.
select backup.cancel(:run);
select tests.planned_run(3) as run \gset
select tests.enter(:run, 2);
select is(
    backup._fail(:run, tests.worker(2), '{"code": "snapshot_lost", "message": "m", "hint": "h"}', true), true,
    'a worker that could not import the snapshot'
);
select is((tests.run(:run)).attempt, 1, 'does not end the attempt of those who hold it');
select is(backup._heartbeat(:run, tests.worker(2)), false, 'it has left');
select is(backup._heartbeat(:run, tests.worker(1)), true, 'they go on');
select tests.enter(:run, 3);
select tests.die(1);
select backup._fail(:run, tests.worker(3), '{"code": "snapshot_lost", "message": "m", "hint": "h"}', true);
select is((tests.run(:run)).attempt, 2, 'when nobody holds it the attempt is over');

-- New settings count from the next attempt on.
select backup.cancel(:run);
select tests.planned_run(3) as run \gset
select backup.configure(workers => 5);
select is((tests.run(:run)).settings ->> 'workers', '2', 'a run under way keeps its settings');
select backup._fail(:run, tests.worker(1), '{"code": "lock_timeout", "message": "m", "hint": "h"}', true);
select is((tests.run(:run)).settings ->> 'workers', '5', 'its next attempt has the new ones');

-- Halving has an end.
update backup.settings set budget_halvings = 6;
select tests.enter(:run, 2);
select backup._store_plan(:run, tests.worker(2), tests.plan(1));
select tests.die(2);
select backup._reconcile_run(:run);
select is((select budget_halvings from backup.settings), 6, 'budgets are halved six times at most');
select is((tests.run(:run)).attempt, 3, 'and the run goes on all the same');

-- Planners that die one after another.
select backup.cancel(:run);
select tests.configure();
select backup.configure(workers => 2);
select backup.start() as run \gset
select tests.enter(:run, n), tests.die(n) from generate_series(1, 3) n;
select backup._reconcile_run(:run);
select is((tests.run(:run)).attempt, 1, 'some deaths are borne');
select tests.enter(:run, 4);
select tests.die(4);
select backup._reconcile_run(:run);
select is((tests.run(:run)).attempt, 2, 'more than two beyond the workers are not');
select is(
    (tests.run(:run)).attempts -> 0 -> 'error' ->> 'message', '4 workers exited unexpectedly during planning', 'and the log says what happened'
);

-- A table that is locked for long, which the planner meets.
create function pg_temp.ended(ago interval)
returns void
language sql
as $$
    update backup.log l
    set attempts = jsonb_set(l.attempts, '{-1, ended_at}', to_jsonb(clock_timestamp() - ago))
    where l.finished_at is null;
$$;
select backup.cancel(:run);
select backup.configure(lock_timeout_ms => 10000);
select backup.start() as run \gset
select tests.enter(:run, 1);
select backup._fail(:run, tests.worker(1), '{"code": "lock_timeout", "message": "m", "hint": "h"}', true);
delete from backup.calls;
select backup._reconcile_run(:run);
select is(
    (select row(l.attempt, l.status, tests.calls(l.id))::text from tests.run(:run) l), row(2, 'running', 0)::text, 'the next attempt is put off'
);
select pg_temp.ended(interval '59 seconds');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 0::bigint, 'for a minute');
select pg_temp.ended(interval '-1 day');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 1::bigint, 'not for days when the clock was set back');
delete from backup.calls;
select pg_temp.ended(interval '61 seconds');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 1::bigint, 'then it begins');
select tests.enter(:run, 2);
select backup._fail(:run, tests.worker(2), '{"code": "lock_timeout", "message": "m", "hint": "h"}', true);
delete from backup.calls;
select pg_temp.ended(interval '5 minutes');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 0::bigint, 'the third waits longer');
select backup.configure(lock_timeout_ms => 3600000);
update backup.log set settings = settings || '{"lock_timeout_ms": 3600000}' where id = :run;
select pg_temp.ended(interval '11 minutes');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 1::bigint, 'and none longer than ten minutes');
select backup.cancel(:run);
select tests.planned_run(1) as run \gset
select backup._fail(:run, tests.worker(1), '{"code": "lock_timeout", "message": "m", "hint": "h"}', true);
select is(tests.calls(:run), 2::bigint, 'a migration that came in the middle goes through at once, and so does the next attempt');

select * from finish();
rollback;
