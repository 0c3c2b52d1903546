-- The log, made anew from manifests.
begin;
select plan(13);

create function pg_temp.manifest(name text) returns jsonb language sql as $$
    select jsonb_build_object(
        'name', name, 'trigger', 'manual', 'attempt', 2, 'finished_at', '2001-02-03T04:06:00Z', 'server_version', '15.1', 'tables', 1, 'rows', 20,
        'raw_bytes', 600, 'stored_bytes', 300, 'parts', 2, 'checksum', tests.sha256('m'), 'warnings', '[]'::jsonb, 'bucket', 'backups',
        'table_rows', '[{"schema": "public", "name": "a", "rows": 20, "rawBytes": 600}]'::jsonb
    );
$$;

select results_eq(
    $$ select name, outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010203-040500-2'), pg_temp.manifest('backup-20010202-040500'))) $$,
    $$ values ('backup-20010202-040500', 'added'), ('backup-20010203-040500-2', 'added') $$, 'missing rows are added, oldest first'
);
select results_eq(
    $$
        select status, trigger, attempt, started_at, verified_at, rows, parts, settings, warnings -> 0 ->> 'code' from backup.log
        where name = 'backup-20010203-040500-2'
    $$,
    $$
        values ('succeeded', 'manual', 2, timestamptz '2001-02-03 04:05:00+00', timestamptz '2001-02-03 04:06:00+00', 20::bigint, 2::bigint,
            '{"bucket": "backups"}'::jsonb, 'rebuilt')
    $$,
    'with what the manifest says, and a note'
);
select is((select sum(rows) from backup.table_rows where name = 'a'), 40::numeric, 'and the rows of each table');
select results_eq(
    $$ select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010202-040500'))) $$, $$ values ('known') $$,
    'a second time there is nothing to do'
);
select is((select count(*) from backup.log), 2::bigint, 'really');
set local timezone = 'America/New_York';
select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010204-040500')));
set local timezone = 'UTC';
select is(
    (select started_at from backup.log where name = 'backup-20010204-040500'), timestamptz '2001-02-04 04:05:00+00', 'names are in UTC, whatever the session is in'
);

-- What the log knows better stays.
update backup.log set removed_at = now() where name = 'backup-20010204-040500';
select matches(
    (select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010204-040500')))), 'removed', 'a removed backup is not revived'
);
insert into backup.log (name, trigger, status, finished_at, error_code, error_message, settings)
values ('backup-20010205-040500', 'manual', 'failed', now(), 'storage_full', 'm', '{}');
select matches(
    (select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010205-040500')))), 'is failed', 'a failed one stays failed'
);

-- A restored database: the row of the run that made the backup is still active.
insert into backup.log (name, trigger, status, started_at, settings)
values ('backup-20010206-040500', 'manual', 'running', now() - interval '1 day', '{"bucket": "backups"}');
select matches(
    (select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010206-040500')))), '^corrected', 'its row is made right'
);
select results_eq(
    $$ select status, error_code, rows from backup.log where name = 'backup-20010206-040500' $$, $$ values ('succeeded', null::text, 20::bigint) $$, 'as a success'
);
update backup.log set status = 'cancelled', error_code = 'cancelled', error_message = 'm' where name = 'backup-20010206-040500';
select matches(
    (select outcome from backup._rebuild_log(jsonb_build_array(pg_temp.manifest('backup-20010206-040500')))), '^corrected',
    'so is that of a run which a restore has cancelled'
);
select is_empty($$ select from backup.log where finished_at is null $$, 'no run is active');
select is((select count(*) from backup.log where status = 'succeeded'), 4::bigint, 'four in all');

select * from finish();
rollback;
