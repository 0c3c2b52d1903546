-- The verdict, and every reason for it: each is brought about alone, in a project that is well otherwise.
begin;
select plan(49);

-- A verified backup with one part of 1000 bytes in the bucket, so many days old.
create function pg_temp.backup(age interval, rows bigint default 1000) returns bigint language plpgsql as $$
declare
    made backup.log;
    at timestamptz := now() - age;
begin
    insert into backup.log (
        name, trigger, status, started_at, finished_at, verified_at, checksum, tables, rows, raw_bytes, stored_bytes, parts, settings
    )
    values (
        'backup-' || to_char(at at time zone 'UTC', 'YYYYMMDD-HH24MISS'), 'scheduled', 'succeeded', at, at, at, tests.sha256('m'), 2, rows, rows * 2000,
        1000, 1, '{"bucket": "backups"}'
    )
    returning * into made;
    insert into storage.objects (bucket_id, name, metadata)
    values ('backups', made.name || '/00000.dump', '{"size": 1000}'), ('backups', made.name || '/manifest.json', '{"size": 500}');
    perform backup._replace_table_counts(made.id, jsonb_build_array(
        jsonb_build_object('schema', 'public', 'name', 'pages', 'rows', rows - 50, 'rawBytes', 1),
        jsonb_build_object('schema', 'public', 'name', 'Small ones', 'rows', 50, 'rawBytes', 1)
    ));
    return made.id;
end;
$$;

create function pg_temp.codes() returns text language sql as $$
    select verdict || coalesce(': ' || array_to_string(backup._alarm_codes(reasons), ' '), '') from backup.health;
$$;

create function pg_temp.said(code text, what text) returns text language sql as $$
    select r ->> what from backup.health h, jsonb_array_elements(h.reasons) r where r ->> 'code' = said.code;
$$;

-- What a change makes of the verdict; the change is undone.
create function pg_temp.after(change text) returns text language plpgsql as $$
declare
    found text;
begin
    begin
        execute change;
        found := pg_temp.codes();
        raise exception 'undo';
    exception when raise_exception then
    end;
    return found;
end;
$$;

-- A new project.
select is(pg_temp.codes(), 'failing: no_backup not_configured one_copy', 'a new project has neither address nor backup');
select tests.configure();
select is(pg_temp.codes(), 'failing: no_backup', 'with an address it has no backup yet');
select pg_temp.backup(interval '1 day');
select is(pg_temp.codes(), 'ok: ', 'with a backup it is well');
select set_eq(
    $$ select r ->> 'code' from backup.health h, jsonb_array_elements(h.reasons) r $$, array['one_copy', 'no_alerts', 'never_drilled'],
    'that there is one copy, no channel for alerts, and no drill yet, is told and no alarm'
);
select is((select count(*) from backup.health), 1::bigint, 'one row');
select is(
    (select facts ->> 'newest_backup' from backup.health), (select name from backup.log where status = 'succeeded'), 'facts name the newest backup'
);
select is_empty(
    $$
        select r from backup.health h, jsonb_array_elements(h.reasons) r
        where coalesce(r ->> 'message', '') = '' or coalesce(r ->> 'hint', '') = '' or r ->> 'severity' not in ('failing', 'warning', 'info')
    $$,
    'every reason has message, hint and severity'
);
set local role service_role;
select lives_ok('select from backup.health', 'service_role looks');
reset role;

-- Freshness.
select is(pg_temp.after($$ update backup.log set started_at = now() - interval '7 days 23 hours' $$), 'ok: ', 'a week and 23 hours are within a day of the schedule');
select is(pg_temp.after($$ update backup.log set started_at = now() - interval '8 days 1 minute' $$), 'failing: late', 'eight days are late');
select is(
    pg_temp.after($$ update backup.log set started_at = now() - interval '3 days'; select backup.schedule('0 3 * * *') $$), 'failing: late',
    'for a daily backup three days are'
);
select is(
    pg_temp.after($$ update backup.log set started_at = now() - interval '30 days'; select backup.schedule('0 3 1 * *') $$), 'ok: ',
    'for a monthly one thirty are not'
);
savepoint late;
update backup.log set started_at = now() - interval '29 days';
select matches(pg_temp.said('late', 'message'), 'is 29 days old, but the schedule makes one every 7 days', 'it says how late');
select matches(pg_temp.said('late', 'hint'), 'pg_cron has started none', 'and that nothing was started');
insert into backup.log (name, trigger, status, finished_at, error_code, error_message, error_hint, settings)
values ('backup-20010101-000000', 'scheduled', 'failed', now(), 'storage_full', 'no room', 'make some', '{}');
select is(pg_temp.codes(), 'failing: late run_failed', 'or what was started and failed');
select matches(pg_temp.said('late', 'hint'), 'did not succeed', 'then the hint points at the runs');
select is(pg_temp.said('run_failed', 'hint'), 'make some', 'a failed run brings its own hint');
rollback to late;
insert into backup.log (name, trigger, status, finished_at, error_code, error_message, settings)
values ('backup-20010101-000000', 'scheduled', 'failed', now(), 'run_active', 'run 1 is active', '{}'),
    ('backup-20010101-000001', 'manual', 'cancelled', now(), 'cancelled', 'm', '{}');
select is(pg_temp.codes(), 'ok: ', 'a refused second run and a cancelled one are no failures');
rollback to late;
insert into backup.log (name, trigger, status, started_at, settings)
values ('backup-20010101-000000', 'manual', 'running', now() - interval '20 minutes', '{}');
select is(pg_temp.codes(), 'failing: run_silent', 'a run without a sign of life');
rollback to late;

-- What is stored.
select set_config('storage.allow_delete_query', 'true', true);
select is(pg_temp.after($$ delete from storage.objects where name like '%.dump' $$), 'failing: backup_lost no_backup', 'the only backup lost a part');
select is(pg_temp.after($$ delete from storage.objects where name like '%.json' $$), 'failing: backup_lost no_backup', 'or its manifest');
select is(
    pg_temp.after($$ update storage.objects set metadata = '{"size": 999}' where name like '%.dump' $$), 'failing: backup_lost no_backup', 'or a byte'
);
select is(
    pg_temp.after($$ select pg_temp.backup(interval '2 days'); delete from storage.objects where name like (select name || '/%' from backup.log order by started_at limit 1) $$),
    'warning: backup_lost', 'an older one is lost'
);
select is(
    pg_temp.after($$ select pg_temp.backup(interval '2 days'); update backup.log set removed_at = now() where started_at < now() - interval '40 hours' $$),
    'ok: ', 'one that rotation removed is not'
);
select is(pg_temp.after($$ update storage.buckets set public = true $$), 'failing: bucket_public', 'the bucket is public');
select is(pg_temp.after($$ update storage.buckets set file_size_limit = 1000000 $$), 'failing: bucket_limit', 'the bucket takes no parts');
select is(
    pg_temp.after($$
        update storage.buckets set file_size_limit = 1000000;
        do $do$ begin execute replace(pg_temp.said('bucket_limit', 'hint'), 'Run: ', ''); end $do$;
    $$),
    'ok: ', 'until the statement of the hint is run'
);
select is(pg_temp.after($$ select backup.configure(bucket => 'other') $$), 'failing: bucket_missing', 'the bucket is missing');
select is(
    (
        select pg_temp.after($$ update storage.objects set metadata = '{"size": 900000000}' where name like '%.json' $$)
    ),
    'ok: ', 'much space is not an alarm'
);

-- Rows that vanish.
select pg_temp.backup(n * interval '7 days' + interval '1 day') from generate_series(1, 4) n;
select is(pg_temp.after($$ select pg_temp.backup(interval '1 hour', 550) $$), 'ok: ', 'a bit fewer rows are no alarm');
savepoint rows;
select pg_temp.backup(interval '1 hour', 450);
select is(pg_temp.codes(), 'warning: shrank tables_shrank', 'half of the rows are gone');
select matches(pg_temp.said('shrank', 'message'), 'has 450 rows .* the 4 before it had 1000', 'it says how many');
select pg_temp.backup(interval '30 minutes', 450);
select is(pg_temp.codes(), 'warning: shrank tables_shrank', 'also when the loss is in two backups');
select pg_temp.backup(interval '20 minutes', 450), pg_temp.backup(interval '10 minutes', 450);
select is(pg_temp.codes(), 'ok: ', 'a loss that four backups have is how it is now');
rollback to rows;
select is(
    pg_temp.after($$ update backup.table_rows set rows = 0 where name = 'Small ones' and run_id = (select id from backup.log order by started_at desc limit 1) $$),
    'warning: tables_shrank', 'a table came back empty'
);
delete from backup.table_rows where name = 'Small ones' and run_id = (select id from backup.log order by started_at desc limit 1);
select is(
    pg_temp.said('tables_shrank', 'message'),
    format('1 tables in %s lost all or half of their rows: public."Small ones" (0 of 50 rows)', (select name from backup.log order by started_at desc limit 1)),
    'or not at all; it is named'
);
rollback to rows;

-- Drills.
update backup.log set started_at = started_at - interval '40 days' where started_at < now() - interval '20 days';
select is(pg_temp.codes(), 'warning: never_drilled', 'a month without a drill');
create function pg_temp.drill(age interval, failed integer) returns void language sql as $$
    insert into backup.drills (name, started_at, finished_at, target, passed, failed, skipped, unchecked)
    values ('backup-20010101-000000', now() - age, now() - age, 't', 1, failed, 0, 0);
$$;
select is(pg_temp.after($$ select pg_temp.drill(interval '34 days', 0) $$), 'ok: ', 'a drill is good for a while');
select is(pg_temp.after($$ select pg_temp.drill(interval '36 days', 0) $$), 'warning: drill_old', 'and then it is old');
select is(pg_temp.after($$ select pg_temp.drill(interval '1 day', 2) $$), 'failing: drill_failed', 'a backup that could not be restored');
select pg_temp.drill(interval '1 day', 0);

-- A clock that was wrong.
select is(pg_temp.after($$ update backup.log set started_at = started_at + interval '9 years' $$), 'warning: clock_wrong', 'the age of the newest is unknown');
select is(
    pg_temp.after($$
        update backup.log set started_at = started_at + interval '9 years' where id = (select max(l.id) from backup.log l where l.status = 'succeeded');
        update backup.log set started_at = started_at - interval '9 days' where started_at < now()
    $$),
    'failing: late', 'a backup of the future does not hide that the others are old'
);
select is(
    pg_temp.after($$
        update backup.log l set status = 'failed', error_code = 'x', error_message = 'x', finished_at = now() + interval '9 years' where id = (select min(o.id) from backup.log o)
    $$),
    'ok: ', 'nor does a failure of the future last until then'
);

-- Jobs and settings.
select is(pg_temp.after($$ select backup.unschedule() $$), 'failing: job_missing', 'nothing is scheduled');
select is(
    pg_temp.after($$ select cron.alter_job(jobid, active := false) from cron.job where jobname in ('backup-weekly', 'backup-daily') $$),
    'failing: check_missing job_inactive', 'the jobs are switched off'
);
select is(
    pg_temp.after($$ select cron.schedule('backup-weekly', '0 0 30 2 *', 'select backup.start(''scheduled'')') $$), 'warning: schedule_unclear',
    'a schedule that never comes'
);
select is(pg_temp.after($$ select cron.schedule('backup-weekly', '0 3 * * 0', 'select 1') $$), 'failing: job_changed', 'the job does something else');
select is(
    pg_temp.after($$ select backup.check(); update backup.events set seen_at = now() - interval '51 hours' $$), 'warning: check_silent', 'the check is not made'
);
select is(
    pg_temp.after($$
        select backup.configure(keep_scheduled => 1, lock_timeout_ms => 600000, max_attempts => 1, lease_seconds => 900);
        update backup.settings set budget_halvings = 3
    $$),
    'warning: keeps_one lease_long lock_timeout_long one_attempt workers_die', 'settings that weaken backups'
);

select * from finish();
rollback;
