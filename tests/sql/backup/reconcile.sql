-- The watch-dog: missing workers are called, and a function that cannot be reached is named.
begin;
select plan(78);

-- Nothing to do.
select backup._keep_watching(true);
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
select backup._store_plan(:run, tests.worker(1), tests.plan(2));
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
        'The function did not begin work after 2 calls: it answered 404 {"message": "Function not found"}'
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
    row('failed', 'The function did not begin work after 5 calls: Couldn''t connect to server')::text, 'five calls that are not delivered are enough'
);
select is((tests.run(:run)).error_hint, 'Check function_url in backup.settings, and that the function is deployed.', 'with their hint');
select pg_temp.five_calls(null, null, null) as run \gset
select matches((tests.run(:run)).error_message, 'after 5 calls: pg_net has no response', 'so are five without a response');
select matches((tests.run(:run)).error_hint, 'net.check_worker_is_up', 'which points at pg_net');
select pg_temp.five_calls(202, '{"run_id": 1}', null) as run \gset
select matches((tests.run(:run)).error_hint, 'reaches the database', 'a function that answers and does no work');
select pg_temp.five_calls(503, 'boot error', null) as run \gset
select matches((tests.run(:run)).error_hint, 'Check the logs of the function', 'one that does not boot');
select pg_temp.five_calls(429, 'slow down', null) as run \gset
select matches((tests.run(:run)).error_message, 'it answered 429 slow down', 'one that is overrun is asked as often');
select matches(
    backup._unreachable(2, '{"status": 401}') ->> 'hint', 'verify_jwt = false.*function_url', 'one that refuses: its own settings, or another project''s'
);
select is(
    backup._unreachable(4, '{"status": 401, "body": "{\"code\":\"unauthorized\"}"}'), null, 'one that cannot look the token up may do so in a minute'
);
select matches(
    backup._unreachable(5, '{"status": 401, "body": "{\"code\":\"unauthorized\"}"}') ->> 'hint', 'may not reach the database', 'and its logs say why'
);
select is(backup._unreachable(1, '{"status": 401}'), null, 'one refusal may be a deployment under way');
select is(backup._unreachable(4, null), null, 'four calls without a response are not five');
select is(
    backup._unreachable(4, '{"status": 409, "body": "{\"code\":\"version_mismatch\"}"}'), null, 'half of an upgrade leaves time for the other half'
);

-- A run that waits says why, at the first look at it.
select backup.start() as run \gset
select tests.answer(503, '{"code":"BOOT_ERROR"}');
select backup.watch();
select is((tests.run(:run)).progress #>> '{problem,message}', 'it answered 503 {"code":"BOOT_ERROR"}', 'the log says why no worker has come');
select matches((tests.run(:run)).progress #>> '{problem,hint}', 'does not start.*supabase functions deploy backup', 'and what to do');
select matches(reasons::text, '"run_waits".*waits for the function: it answered 503', 'so does health') from backup.health;
select tests.enter(:run, 1);
select ok(not (tests.run(:run)).progress ? 'problem', 'until a worker comes');
select backup.cancel(:run);

-- The function cannot reach the database: only its answer can tell.
select backup.start() as run \gset
select tests.answer(424, '{"code":"database_unreachable","message":"The function cannot connect: no answer within 15 s","hint":"Set BACKUP_DB_URL."}');
select backup.watch();
select is(
    (tests.run(:run)).progress -> 'problem',
    '{"code": "database_unreachable", "message": "The function cannot connect: no answer within 15 s", "hint": "Set BACKUP_DB_URL."}'::jsonb,
    'the log says it after the first call'
);
select is(tests.calls(:run), 1::bigint, 'which is repeated');
select tests.pass(interval '6 seconds');
select backup.watch();
select is(tests.calls(:run), 2::bigint, 'in a moment');
select backup.cancel(:run);
select backup.start() as run \gset
select tests.answer(424, '{"code":"not_configured","message":"m","hint":"h"}');
select tests.pass(interval '6 seconds');
select backup.watch();
select tests.answer(424, '{"code":"not_configured","message":"m","hint":"h"}');
select tests.pass(interval '6 seconds');
select backup.watch();
select is(
    (select row(l.status, l.error_code, l.error_message, l.error_hint)::text from tests.run(:run) l),
    row('failed', 'not_configured', 'm', 'h')::text, 'two such answers are enough'
);
select is(backup._told_error('{"body": "<html>\"code\": \"busy\""}'), null, 'a page that stands in for the answer tells nothing');
select is(backup._told_error('{"error": "timeout"}'), null, 'neither does no answer');

-- A call that was delivered twice is under way.
select backup.start() as run \gset
select backup._redeem(tests.token());
select is(backup._is_redeemed(tests.token()), true, 'a token that was shown is known');
select is(backup._is_redeemed('run-' || gen_random_uuid()), false, 'one that was made up is not');
select tests.answer(409, '{"code":"call_repeated","message":"This call has arrived before"}');
select tests.pass(interval '10 seconds');
select backup.watch();
select is(tests.calls(:run), 1::bigint, 'so nobody else is called');
select backup.cancel(:run);

-- An isolate that is at work already is not a refusal.
select tests.planned_run(3) as run \gset
select tests.claim(:run, 1);
select tests.answer(429, '{"code": "busy"}');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 2::bigint, 'a call that met a busy isolate');
select tests.pass(interval '2 seconds');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 2::bigint, 'is not repeated while that one is not retired');
select tests.finish_slice(:run, 1, 0);
select is(tests.calls(:run), 2::bigint, 'also not when a slice is finished');
select tests.claim(:run, 1);
select url, token from backup._retire(:run, tests.worker(1)) \gset
select is(:'url', (select function_url from backup.settings), 'when it is, it calls its successor itself');
select is((select count(*) from net.http_request_queue q where q.headers ->> 'x-backup-token' = :'token'), 0::bigint, 'and pg_net does not');
select is(tests.calls(:run), 3::bigint, 'the call is recorded');
select backup._reconcile_run(:run);
select is(tests.calls(:run), 3::bigint, 'and waited for');
select is((select run_id from backup._redeem(:'token')), :run::bigint, 'its token is valid');
select is(tests.role_of(:run, 2), 'export', 'and the successor works beside it');
select is((select r.token from backup._retire(:run, tests.worker(1)) r), null, 'retiring twice');
select is(tests.calls(:run), 3::bigint, 'calls nobody');
select backup.cancel(:run);

-- The last slice: none is needed beside the worker that has it, and one to finish the run.
select tests.planned_run(1) as run \gset
update backup.calls set expires_at = clock_timestamp(), created_at = created_at - interval '1 minute';
select tests.claim(:run, 1);
select is((select r.token from backup._retire(:run, tests.worker(1)) r), null, 'the last slice is exported by a retired worker');
select tests.calls(:run) as before \gset
select tests.finish_slice(:run, 1, 0);
select is(tests.calls(:run), :before::bigint, 'pg_net calls nobody into its isolate');
select isnt((select r.token from backup._retire(:run, tests.worker(1)) r), null, 'it calls the finisher itself');
select backup.cancel(:run);

-- Nobody works any more: the isolate that was busy is free.
select tests.planned_run(1) as run \gset
update backup.calls set expires_at = clock_timestamp(), created_at = created_at - interval '1 minute';
select tests.claim(:run, 1);
select tests.finish_slice(:run, 1, 0);
select tests.answer(429, '{"code": "busy"}');
select tests.calls(:run) as before \gset
select backup._reconcile_run(:run);
select is(tests.calls(:run), :before::bigint, 'a call that met a busy isolate is not repeated at once');
select backup._release(:run, tests.worker(1));
select is(tests.calls(:run), :before + 1::bigint, 'but is when the last worker leaves');
select backup.cancel(:run);

-- A worker that cannot call its successor.
select tests.planned_run(5) as run \gset
select tests.claim(:run, 1);
select token from backup._retire(:run, tests.worker(1)) \gset
select expected as before from backup._call_status('run', :run) \gset
select tests.pass(interval '21 seconds');
select is((select expected from backup._call_status('run', :run)), :before - 1::bigint, 'nobody waits for long for a call that is not sent');
select is((select vain from backup._call_status('run', :run)), 0::bigint, 'nor is it held against the function');
select tests.pass(interval '-21 seconds');
select backup._give_call_back(:run, tests.worker(1), :'token', '403 error code: 1010');
select is((select purpose from backup._redeem(:'token')), null, 'a call that is given back cannot arrive later');
select isnt(tests.token(), :'token', 'pg_net calls instead');
select is((select purpose from backup._redeem(tests.token())), 'run', 'with a token of its own');
select is(backup._platform_facts() ->> 'calls', '403 error code: 1010', 'the reason is told');
select tests.claim(:run, 2);
select is((select r.token from backup._retire(:run, tests.worker(2)) r), null, 'and the next worker leaves it to pg_net');
select backup.cancel(:run);

-- Old responses: pg_net counts anew after a crash.
select backup.start() as run \gset
insert into net._http_response (id, status_code, content, created)
select request_id, 500, 'old', created_at - interval '1 hour' from backup.calls where run_id = :run;
select backup.watch();
select is((select answer from backup.calls where run_id = :run), null, 'an older request''s response is not taken for this one''s');
insert into net._http_response (id, status_code, content, error_msg, created)
select request_id, 202, repeat('x', 2000), repeat('y', 1000), clock_timestamp() from backup.calls where run_id = :run;
select backup.watch();
select is((select length(answer ->> 'body') + length(answer ->> 'error') from backup.calls where run_id = :run), 1300, 'of a long response the beginning is kept');

-- Signs of life count anew: calls before them were not in vain.
select tests.enter(:run, 1);
select tests.die(1);
select tests.pass(interval '50 seconds');
select is((select vain from backup._call_status('run', :run)), 0::bigint, 'calls before the last sign of life do not count');
select backup.watch();
select is((tests.run(:run)).status, 'running', 'the run goes on');
select is((select expected from backup._call_status('run', :run)), 1::bigint, 'with a new call');
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
select is((select expected from backup._call_status('run', :run)), 1::bigint, 'a call that came to nothing is repeated when it always is');
select is((tests.run(:run)).status, 'running', 'and the run goes on');

select * from finish();
rollback;
