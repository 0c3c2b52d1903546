-- Second copies: what is due and when, who has the turn, what failure costs, and what health says.
begin;
select plan(51);

select tests.configure();
select '00000000-0000-0000-0000-00000000000a'::uuid as a, '00000000-0000-0000-0000-00000000000b'::uuid as b \gset

-- A good backup made so many hours ago; its number.
create function pg_temp.backup(hours integer) returns bigint language sql as $$
    insert into backup.log (name, trigger, status, started_at, finished_at, verified_at, checksum, rows, raw_bytes, stored_bytes, parts, settings)
    values (
        to_char(now() - make_interval(hours => hours), '"backup-"YYYYMMDD-HH24MISS'), 'scheduled', 'succeeded', now() - make_interval(hours => hours),
        now() - make_interval(hours => hours), now(), tests.sha256('m'), 1, 1, 1000, 1, '{"bucket": "backups"}'
    )
    returning id;
$$;
create function pg_temp.due() returns text language sql as $$
    select coalesce(string_agg(action || ' ' || run_id, ', '), 'nothing') from backup._copy_tasks();
$$;
create function pg_temp.whole(copier uuid, run bigint) returns void language sql as $$
    select backup._record_copied_object(copier, run, '00000.dump', 1000, tests.sha256('p'));
    select backup._record_copied_object(copier, run, 'manifest.json', 10, tests.sha256('m'));
    select backup._record_copy_check(copier, run, '{}');
$$;
create function pg_temp.reason(code text) returns text language sql as $$
    select r ->> 'severity' || ': ' || (r ->> 'message') from backup.health h, jsonb_array_elements(h.reasons) r where r ->> 'code' = code;
$$;
create function pg_temp.calls() returns bigint language sql as $$ select count(*) from backup.calls where purpose = 'copy' $$;
create function pg_temp.job() returns boolean language sql as $$ select exists (select from cron.job where jobname = 'backup-watch' and active) $$;

-- Without one.
select pg_temp.backup(400) as first \gset
set constraints all immediate;
select is(pg_temp.due(), 'nothing', 'where one copy is enough nothing is due');
select alike(pg_temp.reason('one_copy'), 'info: %', 'and health says so without alarm');
update backup.settings set second_copy = null;
select alike(pg_temp.reason('one_copy'), 'warning: The backups are stored only in the project%', 'who has not decided is warned');
select is(pg_temp.due(), 'nothing', 'and nothing is copied');
select matches(tests.error_of('select backup.copy()'), '^55000: No second copy.*second_copy => ''s3''', 'a person is told what to do');
select matches(
    tests.error_of($$ select backup.configure(second_copy => 'tape') $$), '^22023: .*second_copy_known.*second_copy is s3', 'other words are refused'
);

-- A run that ends is copied.
select backup.configure(second_copy => 's3') is null as configured \gset
select is(pg_temp.reason('one_copy'), null, 'with a second copy that reason is gone');
select alike(pg_temp.reason('copy_late'), 'warning: % has no second copy yet', 'an old backup without one is late');
select pg_temp.backup(1) as second \gset
select is(pg_temp.due(), format('copy %s, copy %s', :second, :first), 'the newest first');
select is(pg_temp.calls(), 1::bigint, 'the end of a run calls the function');
select ok(pg_temp.job(), 'and wakes the watch-dog');
select is(pg_temp.reason('copy_late'), null, 'a young one may take its time');
update backup.log set started_at = started_at + interval '9000 hours' where id = :first;
select is(pg_temp.reason('copy_late'), null, 'the newest is not one that was begun when the clock was ahead');
update backup.log set started_at = started_at - interval '9000 hours' where id = :first;
select backup.watch();
select is(pg_temp.calls(), 1::bigint, 'a call that is under way is not repeated');
update backup.calls set created_at = created_at - interval '46 seconds';
select backup.watch();
select is(pg_temp.calls(), 2::bigint, 'one that came to nothing is');
select matches(
    (select headers ->> 'x-backup-token' from net.http_request_queue where headers ->> 'x-backup-token' like 'copy-%' order by id desc limit 1), '^copy-[0-9a-f-]{72}$',
    'with a token that says what it is for'
);
select headers ->> 'x-backup-token' as token from net.http_request_queue where headers ->> 'x-backup-token' like 'copy-%' order by id desc limit 1 \gset
select purpose, coalesce(run_id::text, '') as run_id from backup._redeem(:'token') \gset redeemed_
select is(:'redeemed_run_id'::text, '', 'it is good for no run');
select is(:'redeemed_purpose'::text, 'copy', 'it is good for copying');
select is((select purpose from backup._redeem(:'token')), null, 'once');
select is((select purpose from backup._redeem('copy-x')), null, 'and no other word is');

-- The turn.
select is(backup._register_copier(:'a') ->> 'bucket', 'backups', 'the first takes the turn, and the settings');
select is(backup._register_copier(:'b'), null, 'a second one does not');
select matches(tests.error_of(format('select backup._next_copy(%L)', :'b')), '^BK001', 'nor may it work');
select results_eq(
    format('select t ->> ''action'', (t ->> ''run_id'')::bigint, t ->> ''checksum'', t -> ''copied'' from backup._next_copy(%L) t', :'a'),
    format('values (''copy'', %s::bigint, tests.sha256(''m''), ''[]''::jsonb)', :second), 'it gets the newest backup'
);
select backup._record_copied_object(:'a', :second, '00000.dump', 1000, tests.sha256('p'));
select backup._record_copied_object(:'a', :second, '00000.dump', 1000, tests.sha256('p'));
select is(jsonb_array_length(backup._next_copy(:'a') -> 'copied'), 1, 'what arrived is known');
select pg_temp.whole(:'a', :second);
select results_eq(
    format('select objects, bytes, verified_at is not null from backup.copies where run_id = %s', :second), 'values (2::bigint, 1010::bigint, true)',
    'a whole copy has its size'
);
select is(pg_temp.due(), format('copy %s', :first), 'then the older one');

-- Failures.
select backup._next_copy(:'a') is null as asked \gset
select backup._record_copy_failure(:'a', :first, '{"code": "storage_failed", "message": "down", "hint": "wait"}', false);
select is(pg_temp.due(), 'nothing', 'what failed waits');
update backup.log set finished_at = now() - interval '2 hours' where id = :second;
select tests.commit();
select is(pg_temp.due(), 'nothing', 'also when a restore brings the end of an earlier run');
select results_eq(
    format('select failures, date_trunc(''milliseconds'', retry_at - failed_at) from backup.copies where run_id = %s', :first), $$ values (1, interval '1 minute') $$, 'a minute first'
);
select backup._record_copy_failure(:'a', :first, '{"code": "storage_failed", "message": "down", "hint": "wait"}', false);
select results_eq(
    format('select failures, date_trunc(''milliseconds'', retry_at - failed_at) from backup.copies where run_id = %s', :first), $$ values (2, interval '2 minutes') $$, 'then two'
);
select backup._release_copier(:'a');
select ok(pg_temp.job(), 'the watch-dog stays awake for it');
select matches(tests.error_of(format('select backup._next_copy(%L)', :'a')), '^BK001', 'who has left has no turn');
select is(pg_temp.reason('copy_failed'), null, 'an older backup''s copy is no cause for alarm');
select backup._register_copier(:'a') is null as entered \gset
select ok(:'entered', 'nobody enters for what waits');
update backup.copies set retry_at = now() where run_id = :first;
select backup._register_copier(:'a') ->> 'level' as level \gset
select backup._record_copy_failure(:'a', :first, '{"code": "storage_failed", "message": "no such key", "hint": "set it"}', true);
select backup._release_copier(:'a');
select ok(not pg_temp.job(), 'what stays wrong keeps nobody awake');
update backup.copies set retry_at = now() where run_id = :first;
select backup.check() as verdict \gset
select ok(pg_temp.job(), 'the daily check has it tried again');
update backup.copies set retry_at = now() + interval '1 hour' where run_id = :first;
select backup.copy();
select is(pg_temp.due(), format('copy %s, check %s', :first, :second), 'a person can have it tried at once, and what is there looked up');

-- The newest fails.
select backup._register_copier(:'a') ->> 'level' as level \gset
select pg_temp.whole(:'a', :first);
select backup._record_copy_check(:'a', :second, '{00000.dump}');
select is(pg_temp.due(), format('copy %s', :second), 'what is missing there is copied again');
select is((select jsonb_agg(name) from backup.copied where run_id = :second), '["manifest.json"]'::jsonb, 'and no more than that');
select backup._record_copy_failure(:'a', :second, '{"code": "storage_failed", "message": "no such key", "hint": "set it"}', true);
select is(pg_temp.reason('copy_failed'), (select format('warning: %s has no second copy: no such key', name) from backup.log where id = :second), 'that is told');
update backup.copies set retry_at = null where run_id = :second;
select pg_temp.whole(:'a', :second);

-- Rotation.
select backup.configure(keep_scheduled => 2) is null as configured \gset
update backup.log set removed_at = now() where id in (:first, :second);
select is(pg_temp.due(), 'nothing', 'where all backups are gone here, the copies stay');
select pg_temp.backup(0) as third \gset
select is(pg_temp.due(), format('copy %s', :third), 'a new one is copied');
select pg_temp.whole(:'a', (select :third from backup._next_copy(:'a')));
select is(pg_temp.due(), format('remove %s', :first), 'when two newer ones are whole there, an older one goes');
select backup._mark_copy_removed(:'a', :first);
select is(pg_temp.due(), 'nothing', 'that is all');
select backup.configure(keep_scheduled => 1) is null as configured \gset
select is(pg_temp.due(), format('remove %s', :second), 'as rotation''s policy says');
select backup._record_copy_failure(:'a', :second, '{"code": "storage_failed", "message": "AccessDenied", "hint": ""}', true);
select alike(pg_temp.reason('copies_kept'), 'info: 1 copies of removed backups could not be removed: AccessDenied', 'a lock there is worth knowing');

-- One that ends without a word.
select backup._release_copier(:'a');
update backup.copies set retry_at = null, failures = 0, failed_at = null, error = null, checked_at = '-infinity';
select backup._register_copier(:'a') ->> 'level' as level \gset
select backup._next_copy(:'a') ->> 'run_id' as at \gset
update backup.workers set backend_start = '-infinity' where purpose = 'copy';
select backup._register_copier(:'b') is null as entered \gset
select results_eq(
    format('select failures, error ->> ''code'' from backup.copies where run_id = %s', :at), $$ values (1, 'worker_died') $$, 'a death is a failure of what was copied'
);
select matches(tests.error_of(format('select backup._next_copy(%L)', :'a')), '^BK001', 'and its turn is another one''s, or nobody''s');
update backup.copies set retry_at = null, checked_at = '-infinity';
select backup._release_copier(:'b');
select backup._register_copier(:'a') ->> 'level' as level \gset

-- A run goes first.
update backup.copies set checked_at = '-infinity';
select backup.start() as run, pg_temp.calls() as calls_before \gset
select is(backup._next_copy(:'a'), null, 'while a run is active nothing is copied');
select backup._release_copier(:'a');
select is(pg_temp.calls(), :calls_before::bigint, 'and nobody is called to');

select * from finish();
rollback;
