-- A partitioned table has one history, whichever table a statement names.
begin;
select plan(19);

create schema shop;
create table shop.seats (night date, number integer, name text, primary key (night, number)) partition by range (night);
create table shop.seats_1 partition of shop.seats for values from ('2026-01-01') to ('2026-07-01');
create table shop.seats_2 partition of shop.seats for values from ('2026-07-01') to ('2027-01-01') partition by list (number);
create table shop.seats_2_1 partition of shop.seats_2 for values in (1);
create table shop.seats_2_2 partition of shop.seats_2 for values in (2);
insert into shop.seats values ('2026-02-02', 1, 'a');
select is(versioning.track('shop.seats'), 1::bigint, 'what partitions hold is found');
create temp table looked as select max(id) as at from versioning.history;
create function pg_temp.news()
returns text[]
language sql
as $$
    with news as (select h.* from versioning.history h, looked l where h.id > l.at),
    moved as (update looked set at = coalesce((select max(id) from news), at))
    select coalesce(array_agg(operation || ' ' || key || '/' || version order by id), '{}') from news;
$$;
insert into shop.seats values ('2026-02-02', 2, 'b'), ('2026-08-08', 1, 'c');
select set_eq('select unnest(pg_temp.news())', array['create (2026-02-02,2)/1', 'create (2026-08-08,1)/1'], 'an insert into the whole');
insert into shop.seats_1 values ('2026-03-03', 1, 'd');
insert into shop.seats_2_2 values ('2026-08-08', 2, 'e');
insert into shop.seats_2 values ('2026-09-09', 2, 'f');
select is(pg_temp.news(), '{"create (2026-03-03,1)/1","create (2026-08-08,2)/1","create (2026-09-09,2)/1"}', 'into a partition, of any level');
update shop.seats set name = upper(name) where night < '2026-02-28' and number = 1;
select is(pg_temp.news(), '{"update (2026-02-02,1)/2"}', 'an update');
update shop.seats_2 set name = 'x' where number = 1;
select is(pg_temp.news(), '{"update (2026-08-08,1)/2"}', 'of a partition');
update shop.seats set night = '2026-08-09' where night = '2026-02-02' and number = 1;
select set_eq('select unnest(pg_temp.news())', array['delete (2026-02-02,1)/3', 'create (2026-08-09,1)/1'], 'a row that moves to another partition');
delete from shop.seats where number = 2 and night = '2026-02-02';
delete from shop.seats_2_2 where night = '2026-09-09';
select is(pg_temp.news(), '{"delete (2026-02-02,2)/2","delete (2026-09-09,2)/2"}', 'a delete');
truncate shop.seats_2_1;
select set_eq('select unnest(pg_temp.news())', array['truncate (2026-08-08,1)/3', 'truncate (2026-08-09,1)/2'], 'a partition is truncated');
truncate shop.seats;
select set_eq('select unnest(pg_temp.news())', array['truncate (2026-03-03,1)/2', 'truncate (2026-08-08,2)/2'], 'the whole is');
select is((versioning.restore((select id from versioning.versions('shop.seats', '(2026-08-08,2)') limit 1)) ->> 'outcome'), 'inserted', 'a row is put back');
select results_eq('select * from shop.seats_2_2', $$ values ('2026-08-08'::date, 2, 'e') $$, 'to where it belongs');
select pg_temp.news();

create table shop.seats_3 partition of shop.seats for values from ('2027-01-01') to ('2028-01-01');
insert into shop.seats values ('2027-01-01', 1, 'new');
select is(pg_temp.news(), '{"create (2027-01-01,1)/1"}', 'a new partition is seen through the whole at once');
select set_eq('select versioning.refresh()', $$ values ('shop.seats'::regclass) $$, 'refresh() looks after it');
update shop.seats_3 set name = 'named';
select is(pg_temp.news(), '{"update (2027-01-01,1)/2"}', 'then it is seen when it is named itself');
alter table shop.seats detach partition shop.seats_3;
select set_eq('select versioning.refresh()', $$ values ('shop.seats'::regclass) $$, 'and lets a partition go that was detached');
update shop.seats_3 set name = 'its own';
select is(pg_temp.news(), '{}', 'which is another table then');
drop table shop.seats_3;
select is((select count(*) from versioning.rows_as_of(null::shop.seats, clock_timestamp())), 2::bigint, 'its rows'' history does not end: that it went was no statement on them');
select ok(versioning.untrack('shop.seats'), 'untrack()');
select is_empty($$ select from pg_trigger where tgname ~ '^versioning_' $$, 'takes every trigger');
select * from finish();
rollback;
