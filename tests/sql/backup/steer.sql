-- The watch-dog: missing workers are called, and a function that cannot be reached is named.
begin;
select plan(42);

-- Nothing to do.
select backup._watch_on();
select lives_ok('select backup.watch()', 'without a run the watch-dog');
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'goes to sleep');

-- A call that comes to nothing is repeated when nobody can come of it any more.
select tests.configure();
select backup.start() as run \gset
select backup.watch();
select is(tests.calls(:run), 1::bigint, 'a call under way is waited for');
select tests.pass(interval '46 seconds');
select backup.watch();
select is(tests.calls(:run), 2::bigint, 'and repeated after three quarters of a minute');
select backup._redeem(tests.token());
select tests.pass(interval '30 seconds');
update backup.calls set used_at = clock_timestamp() where used_at is not null;
select tests.pass(interval '30 seconds');
select backup.watch();
select is(tests.calls(:run), 2::bigint, 'a token that was shown counts as a sign of life');
select tests.enter(:run, 1);
select backup.watch();
select is(tests.calls(:run), 2::bigint, 'a worker that works is enough for a plan');

-- As many workers as have work.
select backup._plan(:run, tests.worker(1), tests.plan(2));
select is(tests.calls(:run), 3::bigint, 'two slices, two workers');
select tests.pass(interval '50 seconds');
update backup.workers set lease_until = clock_timestamp() + interval '1 minute';
select backup._heartbeat(:run, tests.worker(1));
select tests.claim(:run, 1);
select tests.finish_slice(:run, 1, 0);
select backup.watch();
select is(tests.calls(:run), 3::bigint, 'one slice left, one worker: nobody is called');
select tests.fall_silent(1);
select backup.watch();
select is(tests.calls(:run), 4::bigint, 'the one falls silent: another is called');
select backup.cancel(:run);
select backup.watch();
select is(tests.calls(:run), 4::bigint, 'a run that has ended calls nobody');

-- The function is missing.
select backup.start() as run \gset
select tests.answer(404, '{"message": "Function not found"}');
select backup.watch();
select is(tests.calls(:run), 1::bigint, 'after a refusal the next call waits a little');
select is(
    (select answer from backup.calls), '{"status": 404, "body": "{\"message\": \"Function not found\"}"}'::jsonb, 'pg_net''s response is kept'
);
select tests.pass(interval '6 seconds');
select backup.watch();
select is(tests.calls(:run), 2::bigint, 'then it is made');
select tests.answer(404, '{"message": "Function not found"}');
select tests.pass(interval '6 seconds');
select backup.watch();
select is(
    (select row(l.status, l.error_code, l.error_message)::text from tests.run(:run) l),
    row(
        'failed', 'function_unreachable',
        'the function did not begin work after 2 calls: it answered 404 {"message": "Function not found"}'
    )::text,
    'two refusals are enough'
);
select matches((tests.run(:run)).error_hint, 'supabase functions deploy backup', 'with what to do');
select is((tests.run(:run)).attempt, 1, 'another attempt would not help');
select is((select count(*) from cron.job where jobname = 'backup-watch'), 0::bigint, 'the watch-dog sleeps');

-- The function cannot be reached, pg_net is down, the function does not get to work.
create function pg_temp.five_calls(status integer, body text, error text) returns bigint language plpgsql as $$
declare
    run bigint := backup.start();
begin
    for n in 1 .. 5 loop
        if status is not null or error is not null then
            perform tests.answer(status, body, error);
        end if;
        perform tests.pass(interval '50 seconds');
        if (tests.run(run)).status <> 'queued' then
            raise exception 'ended after % calls', n - 1;
        end if;
        perform backup.watch();
    end loop;
    return run;
end;
$$;
select pg_temp.five_calls(null, null, 'Couldn''t connect to server') as run \gset
select is(
    (select row(l.status, l.error_message)::text from tests.run(:run) l),
    row('failed', 'the function did not begin work after 5 calls: Couldn''t connect to server')::text, 'five calls that are not delivered are enough'
);
select is((tests.run(:run)).error_hint, 'Check function_url in backup.settings, and that the function is deployed.', 'with their hint');
select pg_temp.five_calls(null, null, null) as run \gset
select matches((tests.run(:run)).error_message, 'after 5 calls: pg_net has no response', 'so are five without a response');
select matches((tests.run(:run)).error_hint, 'net.check_worker_is_up', 'which points at pg_net');
select pg_temp.five_calls(202, '{"run_id": 1}', null) as run \gset
select matches((tests.run(:run)).error_hint, 'reaches the database', 'a function that answers and does no work');
select pg_temp.five_calls(503, 'boot error', null) as run \gset
select matches((tests.run(:run)).error_hint, 'See the logs of the function', 'one that does not boot');
select pg_temp.five_calls(429, 'slow down', null) as run \gset
select matches((tests.run(:run)).error_message, 'it answered 429 slow down', 'one that is overrun is asked as often');
select matches(
    backup._unreachable(2, '{"status": 401}') ->> 'hint', 'verify_jwt = false.*function_url', 'one that refuses: its own settings, or another project''s'
);
select is(backup._unreachable(1, '{"status": 401}'), null, 'one refusal may be a deployment under way');
select is(backup._unreachable(4, null), null, 'four calls without a response are not five');

-- An isolate that is at work already is no refusal.
select tests.planned_run(3) as run \gset
select tests.claim(:run, 1);
select tests.answer(503, '{"code": "busy"}');
select backup._steer(:run);
select is(tests.calls(:run), 2::bigint, 'a call that met a busy isolate');
select tests.pass(interval '2 seconds');
select backup._steer(:run);
select is(tests.calls(:run), 3::bigint, 'is repeated after a second');
select tests.answer(503, '{"code": "busy"}');
select tests.pass(interval '2 seconds');
select tests.finish_slice(:run, 1, 0);
select is(tests.calls(:run), 4::bigint, 'also when a slice is finished');
select backup.cancel(:run);

-- Old responses: pg_net counts anew after a crash.
select backup.start() as run \gset
insert into net._http_response (id, status_code, content, created)
select request_id, 500, 'old', created_at - interval '1 hour' from backup.calls where run_id = :run;
select backup.watch();
select is((select answer from backup.calls where run_id = :run), null, 'an older request''s response is not taken for this one''s');
insert into net._http_response (id, status_code, content, created)
select request_id, 202, repeat('x', 1000), clock_timestamp() from backup.calls where run_id = :run;
select backup.watch();
select is((select length(answer ->> 'body') from backup.calls where run_id = :run), 300, 'of a long response the beginning is kept');

-- Signs of life count anew: calls before them were not in vain.
select tests.enter(:run, 1);
select tests.die(1);
select tests.pass(interval '50 seconds');
select is((select vain from backup._calls_of(:run)), 0::bigint, 'calls before the last sign of life do not count');
select backup.watch();
select is((tests.run(:run)).status, 'running', 'the run goes on');
select is((select expected from backup._calls_of(:run)), 1::bigint, 'with a new call');
select is(tests.role_of(:run, 2), 'plan', 'whose worker takes over');
select is((tests.run(:run)).invocations, 2, 'two workers so far');

-- The clock was set back in the middle of a run: what lies in the future happened now.
select tests.enter(:run, 3);
select tests.pass(interval '-2 hours');
select backup.watch();
select ok((tests.run(:run)).started_at <= clock_timestamp() and (tests.run(:run)).heartbeat_at <= clock_timestamp(), 'the run is of now');
select ok(bool_and(c.created_at <= clock_timestamp() and c.expires_at <= clock_timestamp() + interval '301 seconds'), 'so are its calls, and their tokens live no longer')
from backup.calls c where c.run_id = :run;
select ok(bool_and(w.lease_until <= clock_timestamp() + interval '61 seconds'), 'and no lease is longer than a lease')
from backup.workers w where w.run_id = :run and w.left_at is null;
select tests.die(2), tests.die(3);
select backup.watch();
select tests.pass(interval '46 seconds');
select backup.watch();
select is((select expected from backup._calls_of(:run)), 1::bigint, 'a call that came to nothing is repeated when it always is');
select is((tests.run(:run)).status, 'running', 'and the run goes on');

select * from finish();
rollback;
