-- How far a run is with each table.
begin;
select plan(6);

select tests.configure();
select backup.start() as run \gset
select backup._redeem(tests.token());
select tests.enter(:run, 1);
select backup._store_plan(:run, tests.worker(1), tests.plan(3) || jsonb_build_object('slices', jsonb_build_array(
    jsonb_build_object('number', 0, 'first_part', 1, 'estimated_bytes', 1000, 'pieces', '[
        {"dumpId": 1, "table": "public.a", "estimatedBytes": 400}, {"dumpId": 2, "table": "public.\"B c\"", "estimatedBytes": 600}
    ]'::jsonb),
    jsonb_build_object('number', 1, 'first_part', 17, 'estimated_bytes', 5000, 'pieces', '[{"dumpId": 3, "table": "public.large", "estimatedBytes": 5000}]'::jsonb),
    jsonb_build_object('number', 2, 'first_part', 33, 'estimated_bytes', 5000, 'pieces', '[{"dumpId": 3, "table": "public.large", "estimatedBytes": 5000}]'::jsonb)
)));

create function pg_temp.progress(table_name text)
returns text
language sql
as $$
    select row(p.raw_bytes, p.estimated_bytes, p.rows, p.pieces_done, p.pieces)::text
    from backup.table_progress p
    where p.table_name = progress.table_name;
$$;

select is(pg_temp.progress('public.large'), '(0,10000,0,0,2)', 'at first nothing of a table is done');
select backup._claim_slice(:run, tests.worker(1), null);
select backup._heartbeat(:run, tests.worker(1), '{"slice": 0, "table": "public.a", "rows": 1, "raw_bytes": 100}');
select is(pg_temp.progress('public.a'), '(0,400,0,0,1)', 'of a slice that tables share nothing is known before it is done');
select backup._finish_slice(:run, tests.worker(1), 0, '{
    "rows": 12, "raw_bytes": 1100, "stored_bytes": 300,
    "pieces": [{"dumpId": 1, "rows": 10, "rawBytes": 450}, {"dumpId": 2, "rows": 2, "rawBytes": 650}]
}');
select is(pg_temp.progress('public."B c"'), '(650,600,2,1,1)', 'then each table has its own');
select backup._claim_slice(:run, tests.worker(1), null);
select backup._heartbeat(:run, tests.worker(1), '{"slice": 1, "table": "public.large", "rows": 0, "raw_bytes": 2500}');
select is(pg_temp.progress('public.large'), '(2500,10000,0,0,2)', 'a table that is being read grows');
select backup._finish_slice(:run, tests.worker(1), 1, '{
    "rows": 70, "raw_bytes": 4900, "stored_bytes": 300, "pieces": [{"dumpId": 3, "rows": 70, "rawBytes": 4900}]
}');
select is(pg_temp.progress('public.large'), '(4900,10000,70,1,2)', 'and its pieces are counted');
select backup.cancel(:run);
select is(pg_temp.progress('public.large'), '(4900,10000,70,1,2)', 'how far a run came can be seen until the next one');

select * from finish();
rollback;
