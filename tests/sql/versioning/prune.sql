-- Old versions go by age and by number; the newest stay, and what is left keeps its numbers.
begin;
select plan(18);

create schema shop;
create table shop.plays (id integer primary key, title text);
create table shop.kept (id integer primary key, title text);
select versioning.track('shop.plays', keep_versions => 3), versioning.track('shop.kept');
insert into shop.plays values (1, '1'), (2, '1');
insert into shop.kept values (1, '1');
do $$ begin for n in 2..6 loop
    update shop.plays set title = n::text where id = 1;
    update shop.kept set title = n::text;
end loop; end; $$;
select is(versioning.prune(), 3::bigint, 'prune() answers how many went');
select is((select array_agg(version || ':' || (after ->> 'title') order by id) from versioning.versions('shop.plays', '1')), '{4:4,5:5,6:6}', 'as many stay as asked for, with their numbers');
select is((select count(*) from versioning.versions('shop.plays', '2')), 1::bigint, 'where there are fewer all do');
select is((select count(*) from versioning.history where table_name = 'kept'), 6::bigint, 'without options all do');
select is(versioning.prune(), 0::bigint, 'nothing is left to do');
update shop.plays set title = '7' where id = 1;
select is((select max(version) from versioning.versions('shop.plays', '1')), 7, 'numbers go on');
select is(versioning.prune('shop.kept'), 0::bigint, 'one table alone: another');
select is(versioning.prune('shop.plays'), 1::bigint, 'this');
select is((select array_agg(version order by id) from versioning.versions('shop.plays', '1')), '{5,6,7}', 'pruned again, numbered as ever');
select results_eq($$ select column_name, before, after from versioning.diff((select min(id) from versioning.versions('shop.plays', '1'))) $$, $$ values ('title', '4', '5') $$, 'the oldest that is left still tells what it changed');
select matches(
    tests.error_of(format('select versioning.as_of(''shop.plays'', %L)', (select min(at) - interval '1 second' from versioning.history))),
    '^P0002: Cannot read table "shop.plays" at that time: its history was pruned and is complete only since', 'a time before what is left is refused, not answered wrongly'
);

-- By age. Versions grow older by hand.
select versioning.track('shop.plays', keep_versions => 100, keep_for => '30 days');
update versioning.records r set at = at - interval '60 days' where r.id in (select id from versioning.versions('shop.plays', '1') where version <= 6);
update versioning.records r set at = at - interval '90 days' where r.id in (select id from versioning.versions('shop.plays', '2'));
insert into shop.plays values (3, 'gone');
delete from shop.plays where id = 3;
update versioning.records r set at = at - interval '40 days' where r.id in (select id from versioning.versions('shop.plays', '3'));
select is(versioning.prune(), 2::bigint, 'by age');
select is((select array_agg(version order by id) from versioning.versions('shop.plays', '1')), '{6,7}', 'the version that was in force 30 days ago stays');
select is((select title from versioning.rows_as_of(null::shop.plays, now() - interval '29 days', '1')), '6', 'so that what was then can be told');
select is((select count(*) from versioning.versions('shop.plays', '2')), 1::bigint, 'the newest stays, whatever its age');
select is((select array_agg(operation::text) from versioning.versions('shop.plays', '3')), '{delete}', 'also of a row that is gone');

-- The job.
select lives_ok('select versioning.upkeep()', 'upkeep() does it');
select is((select schedule || ' ' || command from cron.job where jobname = 'versioning-upkeep'), '45 3 * * * select versioning.upkeep()', 'every night');
select * from finish();
rollback;
