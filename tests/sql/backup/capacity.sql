-- A plan that cannot fit into Storage ends its run before anything is exported.
begin;
select plan(10);

select tests.configure();

-- The error of a run whose plan has five slices of a megabyte; null when it goes on.
create function pg_temp.verdict()
returns text
language plpgsql
as $$
declare
    run bigint := backup.start();
    error text;
begin
    perform backup._redeem(tests.token());
    perform tests.enter(run, 1);
    perform backup._store_plan(run, tests.worker(1), tests.plan(5));
    select l.error_code || ': ' || l.error_message into error from backup.log l where l.id = run and l.status = 'failed' and l.attempt = 1;
    perform backup.cancel(run);
    delete from backup.workers;
    return error;
end;
$$;

select is(pg_temp.verdict(), null, 'without a known quota nothing is refused');
select backup.configure(storage_quota_bytes => 3000000);
select is(pg_temp.verdict(), null, 'nor while no backup tells how small an archive becomes');

insert into backup.log (trigger, status, name, settings, raw_bytes, stored_bytes, checksum, finished_at, verified_at)
values ('manual', 'succeeded', 'backup-20261101-030000', '{}', 10000000, 4000000, tests.sha256('manifest'), now(), now());
select is(pg_temp.verdict(), null, 'two of three megabytes fit');
insert into storage.objects (bucket_id, name, metadata) values ('backups', 'backup-20261101-030000/00001.dump', '{"size": 1500000}');
select is(
    pg_temp.verdict(), 'too_large: Cannot store the backup: it needs about 1953 kB, and Storage already holds 1465 kB of its 2930 kB',
    'and not beside what is there already'
);
select is((select count(*) from backup.plans) + (select count(*) from backup.slices), 0::bigint, 'nothing is left to export');
-- Rows of Storage may say anything: with a policy for it a user writes them.
insert into storage.objects (bucket_id, name, metadata)
values ('backups', 'backup-20261101-030000/00002.dump', '{"size": "x"}'), ('backups', 'b', '{"size": 999999999999999999999}'), ('backups', 'c', '{"size": -5}');
select alike(pg_temp.verdict(), 'too_large: %already holds 1465 kB%', 'what is not a size does not count, and stops nothing');
select lives_ok('select from backup.health', 'nor does it stop health');
select backup.configure(storage_quota_bytes => 0);
select is(pg_temp.verdict(), null, 'the quota can be forgotten');

update storage.buckets set file_size_limit = 1000000 where id = 'backups';
select is(
    pg_temp.verdict(), 'too_large: Cannot store parts of up to 41943040 bytes in bucket "backups": its limit is 1000000 bytes',
    'parts that the bucket does not take are not begun'
);
select backup.configure(part_bytes => 1000000, slice_bytes => 3000000);
select is(pg_temp.verdict(), null, 'smaller ones are');

select * from finish();
rollback;
