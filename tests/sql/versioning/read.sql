-- Reading: the versions of a row, what differs between them, rows and tables as they were.
begin;
select plan(31);

create schema shop;
create table shop.plays (id integer primary key, title text not null, price numeric(8, 2), loud text generated always as (upper(title)) stored);
insert into shop.plays values (1, 'Hamlet', 10);
select versioning.track('shop.plays');
create temp table moments (name text primary key, at timestamptz);
-- Times of versions differ by microseconds: a moment lies between two.
create function pg_temp.mark(name text) returns void language sql as $$ insert into moments values (name, clock_timestamp()); $$;
create function pg_temp.moment(name text) returns timestamptz language sql stable as $$ select at from moments m where m.name = moment.name $$;
create function pg_temp.id_of(key text, version integer) returns bigint language sql stable as $$
    select id from versioning.versions('shop.plays', key) v where v.version = id_of.version
$$;

select pg_temp.mark('found');
insert into shop.plays values (2, 'Lear', 12.50);
update shop.plays set title = 'HAMLET', price = null where id = 1;
select pg_temp.mark('loud');
delete from shop.plays where id = 1;
select pg_temp.mark('gone');
insert into shop.plays values (1, 'Hamlet again', 9);
select pg_temp.mark('again');

-- versions()
select results_eq(
    $$ select version, operation::text, changed from versioning.versions('shop.plays', '1') $$,
    $$ values (4, 'create', '{id,title,price}'::text[]), (3, 'delete', '{id,title}'), (2, 'update', '{title,price}'), (1, 'baseline', '{id,title,price}') $$,
    'versions of a row, newest first'
);
select is_empty($$ select from versioning.versions('shop.plays', '99') $$, 'of a row that never was there are none');
select results_eq(
    $$ select schema_name, table_name, key collate "default", before, after from versioning.versions('shop.plays', '1') where version = 2 $$,
    $$ values ('shop', 'plays', '1', '{"id": 1, "title": "Hamlet", "price": 10.00}'::jsonb, '{"id": 1, "title": "HAMLET", "price": null}'::jsonb) $$,
    'a version tells its table, its key, the row before and after'
);
select matches(tests.error_of($$ select versioning.versions('pg_class', '1') $$), '^42704: Table "pg_class" has no history.*track', 'a table without history');
select matches(tests.error_of($$ select versioning.versions('shop.plays', 'one') $$), '^22P02', 'a key that is none');
select is(
    (select versioning.summary(h) from versioning.history h where id = pg_temp.id_of('1', 2)), 'update: title “Hamlet” → “HAMLET”, price “10.00” → ∅', 'a version in a line'
);
select is((select versioning.summary(h) from versioning.history h where id = pg_temp.id_of('1', 3)), 'delete', 'or in a word');

-- diff()
select results_eq(
    $$ select * from versioning.diff(pg_temp.id_of('1', 2)) $$,
    $$ values ('title', 'text', 'Hamlet', 'HAMLET'), ('price', 'numeric(8,2)', '10.00', null) $$, 'what one version changed'
);
select results_eq(
    $$ select column_name, before, after from versioning.diff(pg_temp.id_of('1', 2), pg_temp.id_of('1', 4)) $$,
    $$ values ('title', 'HAMLET', 'Hamlet again'), ('price', null, '9.00') $$, 'what differs between two'
);
select results_eq(
    $$ select column_name, before, after from versioning.diff(pg_temp.id_of('1', 4), pg_temp.id_of('1', 2)) $$,
    $$ values ('title', 'Hamlet again', 'HAMLET'), ('price', '9.00', null) $$, 'the other way round'
);
select results_eq(
    $$ select column_name, before, after from versioning.diff(pg_temp.id_of('1', 3)) $$,
    $$ values ('id', '1', null), ('title', 'HAMLET', null) $$, 'a delete: all that was there'
);
select is_empty($$ select from versioning.diff(pg_temp.id_of('1', 2), pg_temp.id_of('1', 2)) $$, 'a version does not differ from itself');
select matches(tests.error_of('select versioning.diff(0)'), '^P0002: Version 0 does not exist or you may not read it', 'of no version');
create table shop.other (id integer primary key);
select versioning.track('shop.other');
insert into shop.other values (1);
select matches(
    tests.error_of(format('select versioning.diff(%s, %s)', pg_temp.id_of('1', 1), (select max(id) from versioning.history))),
    '^22023: Cannot compare versions .*: they belong to different tables', 'nor of two tables'
);

-- as_of() and rows_as_of()
select results_eq(
    $$ select id, title, price, loud from versioning.rows_as_of(null::shop.plays, pg_temp.moment('loud')) order by id $$,
    $$ values (1, 'HAMLET', null::numeric, 'HAMLET'), (2, 'Lear', 12.50, 'LEAR') $$, 'a table as it was, generated columns too'
);
select results_eq(
    $$ select id, title from versioning.rows_as_of(null::shop.plays, pg_temp.moment('found')) order by id $$, $$ values (1, 'Hamlet') $$, 'before that'
);
select results_eq(
    $$ select id from versioning.rows_as_of(null::shop.plays, pg_temp.moment('gone')) order by id $$, $$ values (2) $$, 'while a row was gone'
);
select set_eq('select * from versioning.rows_as_of(null::shop.plays, clock_timestamp())', 'table shop.plays', 'and as it is');
select is_empty($$ select from versioning.rows_as_of(null::shop.plays, '2020-01-01') $$, 'nothing is known from before tracking began');
select is(
    (select versioning.as_of('shop.plays', pg_temp.moment('loud'), '1')), '{"id": 1, "title": "HAMLET", "price": null, "loud": "HAMLET"}'::jsonb, 'a row as JSON'
);
select is_empty($$ select versioning.as_of('shop.plays', pg_temp.moment('gone'), '1') $$, 'while it was gone');
select is((select count(*) from versioning.as_of('shop.plays', pg_temp.moment('again'))), 2::bigint, 'the table as JSON');
select is((select s.title from versioning.rows_as_of(null::shop.plays, pg_temp.moment('gone')) s join shop.plays p using (id) where p.price > 1), 'Lear', 'it joins like a table');

-- The history finds what it is asked for by its indexes.
insert into shop.other select generate_series(10, 20000);
analyze versioning.records;
create function pg_temp.plan_of(statement text) returns text language plpgsql as $$
declare line text; plan text := '';
begin
    for line in execute 'explain ' || statement loop plan := plan || line || e'\n'; end loop;
    return plan;
end;
$$;
-- A function's plan is not shown; the pages that it reads tell.
create function pg_temp.pages_of(statement text) returns bigint language plpgsql as $$
declare plan json;
begin
    execute 'explain (analyze, buffers, timing off, format json) ' || statement into plan;
    return (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
end;
$$;
select versioning.versions('shop.plays', '1');
select cmp_ok(pg_temp.pages_of($$ select * from versioning.versions('shop.plays', '1') $$), '<', 100::bigint, 'versions() reads some pages');
select cmp_ok(pg_temp.pages_of($$ select versioning.as_of('shop.plays', now(), '1') $$), '<', 100::bigint, 'so does as_of() of one row');
select cmp_ok(pg_temp.pages_of('select count(reason) from versioning.records'), '>', 200::bigint, 'of many');
select matches(
    pg_temp.plan_of(format('select * from versioning.history where table_id = %s and key = ''1''', (select id from versioning.tables where table_name = 'plays'))),
    'records_of_entity', 'by entity'
);
select matches(pg_temp.plan_of('select * from versioning.history where id = 12'), 'records_pkey', 'by number');
select matches(pg_temp.plan_of('select * from versioning.history where transaction = 12'), 'records_by_time', 'by transaction');
-- Sizes.
select results_eq(
    $$ select table_name, tracked, versions, entities, bytes > versions * 40, oldest < newest from versioning.sizes order by 1 desc $$,
    $$ values ('plays', true, 5::bigint, 2::bigint, true, true), ('other', true, 19992::bigint, 19992::bigint, true, true) $$, 'the sizes of histories'
);
select is((select sum(bytes) < pg_total_relation_size('versioning.records') from versioning.sizes), true, 'are of the size of what is stored');
select * from finish();
rollback;
