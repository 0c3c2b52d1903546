-- Restores, looks and drills asked for in SQL: what is refused, who works on what, what an end leaves.
begin;
select plan(61);

select tests.configure();
select '00000000-0000-0000-0000-00000000000a'::uuid as a, '00000000-0000-0000-0000-00000000000b'::uuid as b \gset

-- A stored backup of a number of hours ago, with two tables.
create function pg_temp.backup(hours integer) returns text language plpgsql as $$
declare
    made backup.log;
begin
    insert into backup.log (name, trigger, status, started_at, finished_at, verified_at, checksum, rows, raw_bytes, stored_bytes, parts, settings)
    values (
        to_char(now() - make_interval(hours => hours), '"backup-"YYYYMMDD-HH24MISS'), 'scheduled', 'succeeded', now() - make_interval(hours => hours),
        now() - make_interval(hours => hours), now(), tests.sha256('m'), 1, 1, 1000, 1, '{"bucket": "backups"}'
    )
    returning * into made;
    insert into storage.objects (bucket_id, name, metadata)
    values ('backups', made.name || '/manifest.json', '{"size": 10}'), ('backups', made.name || '/00000.dump', '{"size": 1000}');
    insert into backup.table_rows (run_id, schema, name, rows, raw_bytes)
    values (made.id, 'public', 'orders', 3, 300), (made.id, 'public', 'events_2026', 5, 500);
    return made.name;
end;
$$;
create function pg_temp.next(worker uuid) returns text language sql as $$
    select coalesce(t ->> 'action' || ' ' || coalesce(t ->> 'subject', t ->> 'name', ''), 'nothing') from backup._next_restore(worker) t;
$$;
create function pg_temp.restore(id bigint) returns backup.restores language sql as $$ select r from backup.restores r where r.id = restore.id $$;
create function pg_temp.calls() returns bigint language sql as $$ select count(*) from backup.calls where purpose = 'restore' $$;
create function pg_temp.reason(code text) returns text language sql as $$
    select r ->> 'severity' || ': ' || (r ->> 'message') from backup.health h, jsonb_array_elements(h.reasons) r where r ->> 'code' = code;
$$;

create function pg_temp.row_of(query text) returns text language plpgsql as $$
declare
    found record;
begin
    execute query into found;
    return found::text;
end;
$$;

-- What is asked for must be there.
select matches(tests.error_of($$ select backup.restore_table('public.orders') $$), '^P0002: Backup "latest" is not stored', 'without a backup nothing is restored');
select pg_temp.backup(30) as old \gset
select pg_temp.backup(2) as new \gset
select set_eq(
    'select backup, "table", rows from backup.contents where schema = ''public''',
    format('values (%1$L, ''orders'', 3::bigint), (%1$L, ''events_2026'', 5::bigint), (%2$L, ''orders'', 3::bigint), (%2$L, ''events_2026'', 5::bigint)', :'old', :'new'),
    'the contents of all backups are listed'
);
select is((select name from backup._find_backup('latest')), :'new'::text, 'the latest');
select is((select name from backup._find_backup('oldest')), :'old'::text, 'the oldest');
select is((select name from backup._find_backup(:'old')), :'old'::text, 'one by name');
select matches(tests.error_of($$ select backup.restore_table('public.orders', backup => 'backup-19700101-000000') $$), '^P0002: Backup "backup-1970.*backup\.contents', 'no other');
update backup.log set settings = settings || '{"recipient": "age1x"}' where name = :'old';
select matches(tests.error_of(format('select backup.drill(%L)', :'old')), '^55000: .*is encrypted.*--identity', 'an encrypted backup needs the key, which the project has not');
update backup.log set settings = settings - 'recipient';
select is(tests.error_of($$ select backup.restore_table('public.events') $$), null, 'a name that partitions begin with is looked up by the function');
select matches(tests.error_of($$ select backup.restore_table('orderz') $$), '^42P01: .*"public\.orderz".*It has public\.events_2026, public\.orders', 'a typo is answered with names');
select matches(tests.error_of($$ select backup.restore_schema('nowhere') $$), '^3F000: .*"nowhere"', 'a schema must be there too');
select matches(tests.error_of($$ select backup.restore_rows('orders', '{}') $$), '^22023: Invalid keys', 'keys must be given');
select matches(tests.error_of($$ select backup.restore_rows('orders', array['1', null]) $$), '^22023: Invalid keys', 'all of them');
select matches(tests.error_of($$ select backup.restore_table('orders', into_schema => 'public') $$), '^42P06: .*"public": it exists', 'what is there is not restored into');
select matches(tests.error_of($$ select backup.restore_table('orders', into_schema => 'pg_own') $$), '^42939', 'nor is the server''s own');
select matches(tests.error_of($$ select from backup.peek('orders', rows => 0) $$), '^22023: Cannot look at 0 rows', 'a look has a size');
delete from backup.restores;

-- A restore beside.
select 'restored_' || to_char(now() at time zone 'UTC', 'YYYYMMDD') as today \gset
drop schema if exists :"today";
select backup.restore_table('orders') as first \gset
select is(
    pg_temp.row_of(format('select kind, backup, subject, into_schema, status from backup.restores where id = %s', :first)),
    row('table', :'new', 'public.orders', :'today', 'queued')::text, 'it is recorded'
);
select is(pg_temp.calls(), 1::bigint, 'and the function is called');
select ok(exists (select from cron.job where jobname = 'backup-watch' and active), 'the watch-dog looks after it');
select is((select nspowner::regrole::text from pg_namespace where nspname = :'today'), 'postgres', 'the schema is made at once');
select is_empty(
    format('select r from unnest(array[''anon'', ''authenticated'', ''service_role'']) r where has_schema_privilege(r, %L, ''usage, create'')', :'today'),
    'and closed to the API'
);
select backup.restore_rows('orders', array['1']) as second \gset
select is((pg_temp.restore(:second)).into_schema, :'today'::text || '_2', 'a second one has a schema of its own');
select is((pg_temp.restore(:second)).kind, 'rows', 'rows by key are told apart');
select backup.restore_table('events_2026', into_schema => :'today') as third \gset
select is((pg_temp.restore(:third)).into_schema, :'today'::text, 'unless the first one''s is named');
create schema authorization_of_another;
select matches(tests.error_of($$ select backup.restore_table('orders', into_schema => 'authorization_of_another') $$), '^42P06', 'a schema that no restore made is left alone');

-- The turn, and what a worker gets.
select is(backup._register_restorer(:'a') ->> 'bucket', 'backups', 'the first worker takes the turn');
select ok(backup._register_restorer(:'b') is null, 'a second one does not');
select matches(tests.error_of(format('select backup._next_restore(%L)', :'b')), '^BK001', 'nor may it work');
select status as asked from backup.peek('orders', rows => 2) \gset
select matches(:'asked'::text, '^asked at .*run this statement again', 'a look is asked for');
select is(pg_temp.next(:'a'), 'peek orders', 'and comes first');
select backup._record_peek(:'a', (select id from backup.peeks), '[{"id": "1"}, {"id": "2"}]', null);
select results_eq(
    $$ select status, record ->> 'id' from backup.peek('orders', rows => 2) $$,
    format('values (''row 1 in %1$s'', ''1''), (''row 2 in %1$s'', ''2'')', :'new'), 'the same statement returns the rows then'
);
select is(pg_temp.next(:'a'), 'restore public.orders', 'then the oldest restore');
select is((pg_temp.restore(:first)).status, 'running', 'which runs');
select backup._record_restored(:'a', :first, 2, 200, '{"table": 0}', 'public.orders', '[]');
select is(pg_temp.row_of(format('select rows, raw_bytes, state from backup.restores where id = %s', :first)), row(2::bigint, 200::bigint, '{"table": 0}'::jsonb)::text, 'progress is kept');
select backup._finish_restore(:'a', :first, 'succeeded', null, '{"insert_missing": "insert"}');
select is(pg_temp.row_of(format('select status, finished_at is not null, state, insert_missing from backup.restores where id = %s', :first)), row('succeeded'::text, true, null::jsonb, 'insert'::text)::text, 'it ends with its statements');

-- Cancelling.
select ok(backup.cancel_restore(:second), 'one that waits is cancelled');
select is((pg_temp.restore(:second)).status, 'cancelled', 'at once');
select ok(to_regnamespace(:'today'::text || '_2') is null, 'and its schema goes');
select ok(not backup.cancel_restore(:second), 'once');
select matches(tests.error_of('select backup.cancel_restore(0)'), '^P0002', 'it must exist');
select is(pg_temp.next(:'a'), 'restore public.events_2026', 'another one runs');
select ok(backup.cancel_restore(:third), 'and is cancelled');
select matches(
    tests.error_of(format('select backup._record_restored(%L, %s, 1, 1, null, null, ''[]'')', :'a', :third)), '^BK002', 'its worker learns of it with what it records'
);
select is(pg_temp.next(:'a'), 'remove public.events_2026', 'and removes what it has made');
select backup._finish_restore(:'a', :third, 'cancelled', null, null);
select is((pg_temp.restore(:third)).status, 'cancelled', 'then it is over');

-- Deaths.
select backup.drill(:'new') as drill \gset
select is(backup.drill('oldest'), :drill::bigint, 'one drill at a time');
select is(pg_temp.next(:'a'), 'drill ', 'it comes last');
update backup.workers set backend_start = backend_start - interval '1 microsecond' where id = :'a';
select ok(backup._register_restorer(:'b') is not null, 'after a death the next worker goes on at once');
select is(pg_temp.row_of(format('select status, failures from backup.restores where id = %s', :drill)), row('running'::text, 1)::text, 'and the death is counted');
select backup._record_restore_failure(:'b', :drill, '{"code": "storage_failed", "message": "m", "hint": "h"}', false);
select is(pg_temp.next(:'b'), 'nothing', 'after a second failure it waits');
update backup.restores set retry_at = now();

-- A drill gives way, and its result is told.
select backup.start() as run \gset
select is(pg_temp.next(:'b'), 'nothing', 'while a run is active nothing is drilled');
select backup.cancel(:run);
select is(pg_temp.next(:'b'), 'drill ', 'afterwards it is');
select backup._record_drill(:'b', :drill, 'here', '[{"what": "a", "outcome": "passed", "detail": ""}, {"what": "public.orders", "outcome": "failed", "detail": "d"}]');
select is(pg_temp.row_of('select name, target, passed, failed, checks -> 0 ->> ''what'' from backup.drills'), row(:'new'::text, 'here'::text, 1, 1, 'public.orders'::text)::text, 'the result is recorded');
select matches(pg_temp.reason('drill_failed'), '^failing', 'and a failed check is an alarm');
update backup.drills set failed = 0;
select backup.drill() as drill \gset
select backup._record_restore_failure(:'b', :drill, '{"code": "no_room", "message": "There is no room", "hint": "h"}', true);
select is((pg_temp.restore(:drill)).error_code, 'no_room', 'a final failure ends it');
select is(pg_temp.reason('drill_ended_early'), 'warning: The last drill of the project could not be completed: There is no room', 'which is a warning');
select matches(tests.error_of($$ select backup.drill(drill_bytes => 1) $$), '^22023: Cannot drill in 1 bytes', 'a drill needs room');

-- Schedules.
select ok(backup.schedule_drill() > 0, 'drills are scheduled');
select is((select command from cron.job where jobname = 'backup-drill'), $$select backup.drill('latest', NULL)$$, 'by a job');
select matches(tests.error_of($$ select backup.schedule_drill('never') $$), '^22023: Invalid schedule', 'on a schedule');
select matches(tests.error_of($$ select backup.schedule_drill(backup => 'backup-1') $$), '^22023: .*latest or oldest', 'not of one backup');
select ok(backup.unschedule_drill() and not backup.unschedule_drill(), 'until they are not');

select * from finish();
rollback;
