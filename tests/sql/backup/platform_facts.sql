-- What a run finds out about the platform, which nothing else can tell.
begin;
select plan(13);

create function tests.platform_reasons()
returns text[]
language sql
as $$
    select array_agg(reason ->> 'code' order by reason ->> 'code') from backup._check_platform() reason;
$$;

select is(backup._platform_facts(), null, 'nothing is known before the first run');
select tests.planned_run(4) as run \gset
select is(backup._platform_facts(), null, 'nor before a worker has told something');

select backup._report_facts(:run, tests.worker(1), '{"encrypted": true, "uploads": null, "cpu_ms": 900, "own_cpu_ms": 800}');
select is(
    backup._platform_facts(),
    jsonb_build_object(
        'run', (tests.run(:run)).name, 'encrypted', true, 'uploads', 'own client', 'calls', null, 'worst_cpu_ms', 900,
        'ended_at_a_limit', 0, 'hides_errors', null
    ),
    'what one worker has told'
);
select is(tests.platform_reasons(), null, 'is as it should be');
select is((tests.run(:run)).cpu_ms, 800::bigint, 'its CPU is in the log');

select tests.enter(:run, 2);
select backup._report_facts(:run, tests.worker(2), '{"encrypted": false, "uploads": "403 error code: 1010", "cpu_ms": 1650, "own_cpu_ms": 1550}');
select is(backup._platform_facts() - 'run' - 'ended_at_a_limit' - 'hides_errors', '{"encrypted": false, "uploads": "fetch: 403 error code: 1010", "calls": null, "worst_cpu_ms": 1650}', 'of several the worst');
select is(tests.platform_reasons(), array['uploads_by_fetch'], 'uploads by fetch are told');
select is((tests.run(:run)).cpu_ms, 2350::bigint, 'and that of all workers together');

select backup._give_call_back(:run, tests.worker(2), 'made up', '403 error code: 1010');
select is(tests.platform_reasons(), array['calls_by_pg_net', 'uploads_by_fetch'], 'and that workers cannot call the function');
update backup.workers set facts = facts - 'calls';
select backup._release(:run, tests.worker(2), '{"code": "worker_ended", "message": "the isolate ends", "hint": "h"}');
select is(backup._platform_facts() ->> 'ended_at_a_limit', '1', 'an isolate that was ended is counted');
select is(tests.platform_reasons(), array['isolates_ended', 'uploads_by_fetch'], 'and told');

update backup.calls set answer = '{"status": 503, "body": "{\"code\": \"internal\", \"message\": \"m\"}"}' where request_id = (select min(request_id) from backup.calls);
select is(backup._platform_facts() -> 'hides_errors', 'false', 'the function''s own 5xx answer has arrived');
update backup.calls set answer = '{"status": 502, "body": "<html>Bad Gateway</html>"}' where request_id = (select max(request_id) from backup.calls);
select is(backup._platform_facts() -> 'hides_errors', 'true', 'a page of the gateway stands in its place');

select * from finish();
rollback;
