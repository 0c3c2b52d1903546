-- A tracked table that changes: what is recorded goes on at once, and what was recorded before keeps its meaning.
begin;
select plan(34);

create schema shop;
create table shop.plays (id integer primary key, title text not null, price integer, hall text default 'large', season text);
select versioning.track('shop.plays', left_out => '{season}');
create function pg_temp.version(number integer) returns bigint language sql stable as $$
    select id from versioning.versions('shop.plays', '1') v where v.version = number
$$;
create function pg_temp.latest() returns jsonb language sql stable as $$ select after from versioning.versions('shop.plays', '1') limit 1 $$;
insert into shop.plays values (1, 'Hamlet', 10);
create temp table moment as select clock_timestamp() as at;

-- A column more.
alter table shop.plays add column stars integer default 3, add column born timestamptz default '2026-01-01 00:00+00';
update shop.plays set title = 'HAMLET';
select is(pg_temp.latest(), '{"id": 1, "title": "HAMLET", "price": 10, "hall": "large", "stars": 3, "born": "2026-01-01 00:00:00+00"}'::jsonb, 'a column that was added is recorded at once');
update shop.plays set stars = 5;
select is((select before -> 'stars' from versioning.versions('shop.plays', '1') limit 1), '3', 'also in a session that has written the table before');
select results_eq('select stars, born from versioning.rows_as_of(null::shop.plays, (select at from moment))', $$ values (3, '2026-01-01 00:00+00'::timestamptz) $$, 'a row of before has its default');
select is(
    versioning.restore(pg_temp.version(1)) - '{version,table,key}'::text[],
    '{"outcome": "updated", "restored": ["title"], "defaulted": ["stars", "born"], "kept": [], "dropped": []}'::jsonb, 'so it gets in a restore'
);
select is((select stars from shop.plays), 3, 'and has');
select results_eq('select column_name, before, after from versioning.diff(pg_temp.version(1), pg_temp.version(3))', $$ values ('title', 'Hamlet', 'HAMLET'), ('stars', null, '5'), ('born', null, '2026-01-01 00:00:00+00') $$, 'diff() shows it as new');

-- Another name for a column.
alter table shop.plays rename column hall to room;
update shop.plays set room = 'small';
select is((select changed from versioning.versions('shop.plays', '1') limit 1), '{room}', 'a column with another name');
select is((select before ->> 'room' from versioning.versions('shop.plays', '1') limit 1), 'large', 'has its history');
select results_eq('select column_name, before, after from versioning.diff(pg_temp.version(1), pg_temp.version(5))', $$ values ('room', 'large', 'small'), ('stars', null, '3'), ('born', null, '2026-01-01 00:00:00+00') $$, 'diff() takes it for the same');
select is((versioning.restore(pg_temp.version(1), columns => '{room}')) -> 'restored', '["room"]'::jsonb, 'and so does restore()');
select is((select room from shop.plays), 'large', 'which puts its value back');
select is((select after -> 'hall' from versioning.versions('shop.plays', '1') where version = 1), '"large"', 'a version keeps the name of its time');
alter table shop.plays rename column season to years;
update shop.plays set years = '2026';
select is((select max(version) from versioning.versions('shop.plays', '1')), 6, 'what is left out stays left out under another name');

-- A column less, and one of the same name that is another.
alter table shop.plays drop column price;
update shop.plays set title = 'Hamlet!';
select ok(not pg_temp.latest() ? 'price', 'a column that was dropped');
select is((versioning.restore(pg_temp.version(1)) -> 'dropped'), '["price"]'::jsonb, 'is reported by a restore');
select results_eq('select column_name, before, after from versioning.diff(pg_temp.version(1), pg_temp.version(7))', $$ values ('title', 'Hamlet', 'Hamlet!'), ('stars', null, '3'), ('born', null, '2026-01-01 00:00:00+00'), ('price', '10', null) $$, 'and shown by diff()');

-- Another type.
alter table shop.plays alter column stars type numeric(4, 1);
select is((select stars from versioning.rows_as_of(null::shop.plays, clock_timestamp())), 3.0, 'a column of another type: old values are read as the new');
update shop.plays set stars = 4.5;
select is(pg_temp.latest() -> 'stars', '4.5', 'new ones are recorded');
alter table shop.plays alter column title type integer using 7;
update shop.plays set stars = 1;
select matches(tests.error_of('select versioning.restore(pg_temp.version(1))'), '^22P02: .*"Hamlet"', 'a value that the new type does not take is named');

-- Another name for the table, another schema.
alter table shop.plays rename to pieces;
create schema museum;
alter table shop.pieces set schema museum;
update museum.pieces set stars = 2;
select is((select count(*) from versioning.versions('museum.pieces', '1')), 11::bigint, 'a table with another name has its history');
select set_eq('select * from versioning.refresh()', $$ values ('museum.pieces'::regclass) $$, 'refresh() names the tables that had changed');
select is_empty('select * from versioning.refresh()', 'once');
select results_eq('select schema_name, table_name from versioning.tables', $$ values ('museum', 'pieces') $$, 'and tells the new name');
update museum.pieces set stars = 3;
select is((select max(version) from versioning.versions('museum.pieces', '1')), 12, 'the history goes on');

-- Another key.
alter table museum.pieces drop constraint plays_pkey;
set local client_min_messages = error;
update museum.pieces set stars = 5;
reset client_min_messages;
select is((select count(*) from versioning.history), 12::bigint, 'without a primary key nothing is recorded, and the table is not blocked');
alter table museum.pieces add primary key (id, room);
update museum.pieces set stars = 6;
select results_eq($$ select version, operation::text, key collate "default" from versioning.history order by id desc limit 1 $$, $$ values (1, 'update', '(1,large)') $$, 'another key: other entities');
select matches(tests.error_of('select versioning.restore(min(id)) from versioning.history'), '^55000: Cannot restore into table "museum.pieces": its primary key has changed since', 'versions under the old one are read, and not put back');
alter table museum.pieces drop constraint pieces_pkey, add primary key (id);
update museum.pieces set stars = 7;
select is((select version from versioning.history order by id desc limit 1), 13, 'the old key again: the old entity');

-- A dropped table, and another of its name.
drop table museum.pieces;
select is((select count(*) from versioning.history), 14::bigint, 'the history of a dropped table stays');
create table museum.pieces (id integer primary key, title text);
insert into museum.pieces values (1, 'new');
select is(versioning.track('museum.pieces'), 1::bigint, 'a table of the same name, from a backup perhaps');
select results_eq($$ select version, operation::text, after ->> 'title' from versioning.versions('museum.pieces', '1') limit 1 $$, $$ values (14, 'baseline', 'new') $$, 'goes on with its history');
select results_eq('select table_name, tracked from versioning.tables', $$ values ('pieces', true) $$, 'as the same table');
create table museum.others (id integer primary key);
alter table museum.pieces rename to others_then;
alter table museum.others rename to pieces;
select is(versioning.track('museum.pieces'), 0::bigint, 'unless the table of that history has another name now');
select results_eq('select table_name from versioning.tables order by id', array['others_then', 'pieces'], 'then there are two');
select * from finish();
rollback;
