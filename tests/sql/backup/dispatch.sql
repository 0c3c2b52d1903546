-- Calls of the function and their one-time tokens.
begin;
select plan(20);

select matches(
    tests.error_of('select backup.dispatch(1)'), '^55000: .*function_url is not configured \(Run: select backup.configure',
    'nothing is called without an address'
);
select tests.configure();
select matches(
    tests.error_of('select backup.dispatch(1)'), '^55000: Cannot dispatch run 1: it is not active', 'nor for a run that is not active'
);

select backup.start() as run \gset
select tests.token() as token \gset
select matches(:'token'::text, '^run-.{72}$', 'a token says what it is for, and is two random UUIDs');
select isnt((select count(*) from backup.calls where hash = sha256(convert_to(:'token', 'UTF8'))), 0::bigint, 'its hash is stored');
select is(
    (
        select count(*)
        from (
            select c::text from backup.calls c
            union all select l::text from backup.log l
            union all select w::text from backup.workers w
            union all select s::text from backup.settings s
        ) stored (text)
        where stored.text like '%' || :'token' || '%'
    ),
    0::bigint, 'the token itself is not'
);
select is((select request_id from backup.calls), (select max(id) from net.http_request_queue), 'the call knows pg_net''s request');

select is((backup._redeem('guessed')).run_id, null, 'a guess is not a token');
select is((backup._redeem('')).run_id, null, 'nor is nothing');
select is((backup._redeem(null)).run_id, null, 'nor null');
select is((backup._redeem(upper(:'token'))).run_id, null, 'nor another spelling');
select is((select count(*) from backup.calls where used_at is not null), 0::bigint, 'none of them uses anything up');
select is((backup._redeem(:'token')).run_id, :run::bigint, 'the token names its run');
select is((backup._redeem(:'token')).run_id, null, 'once');

select isnt(backup.dispatch(:run), null, 'a run may be dispatched by hand');
select tests.token() as second \gset
select isnt(:'second'::text, :'token'::text, 'each call has a token of its own');
update backup.calls set expires_at = clock_timestamp();
select is((backup._redeem(:'second')).run_id, null, 'an expired token is refused');
select backup.configure(call_ttl_seconds => 10);
select backup.dispatch(:run);
select ok(
    (select expires_at - created_at between interval '9 seconds' and interval '11 seconds' from backup.calls order by created_at desc limit 1),
    'how long a token lives is a setting'
);
select is(tests.calls(:run), 3::bigint, 'three calls in all');
select backup.cancel(:run);
select matches(tests.error_of(format('select backup.dispatch(%s)', :run)), 'is not active', 'a run that has ended is not dispatched');
select tests.token() as third \gset
select is((backup._redeem(:'third')).run_id, :run::bigint, 'a call that is on its way learns of the end from _register()');

select * from finish();
rollback;
