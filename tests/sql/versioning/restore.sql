-- Putting single rows back: all of them or some columns, gone or there, changed since or not; and taking that back.
begin;
select plan(37);

create schema shop;
create table shop.plays (
    id integer generated always as identity primary key, title text not null, price integer, note text default 'none',
    loud text generated always as (upper(title)) stored, check (price > 0)
);
select versioning.track('shop.plays');
create function pg_temp.version(key text, version integer) returns bigint language sql stable as $$
    select id from versioning.versions('shop.plays', key) v where v.version = version.version
$$;
create function pg_temp.newest(key text) returns bigint language sql stable as $$ select max(id) from versioning.versions('shop.plays', key) $$;
insert into shop.plays (title, price, note) values ('Hamlet', 10, 'a');
update shop.plays set title = 'HAMLET', price = 20;
update shop.plays set note = 'b';

-- There.
select is(
    versioning.restore(pg_temp.version('1', 1)) - 'version',
    '{"outcome": "updated", "table": "shop.plays", "key": "1", "restored": ["title", "price", "note"], "defaulted": [], "kept": [], "dropped": []}'::jsonb,
    'restore() tells what it did'
);
select results_eq('select title, price, note, loud from shop.plays', $$ values ('Hamlet', 10, 'a', 'HAMLET') $$, 'and did it');
select results_eq(
    $$ select version, operation::text, reason, changed from versioning.versions('shop.plays', '1') limit 1 $$,
    format($$ values (4, 'restore', 'restored version %s', '{title,price,note}'::text[]) $$, pg_temp.version('1', 1)), 'it is a version itself'
);
create temp table answer as select versioning.restore(pg_temp.version('1', 3)) as a;
select is((select (a ->> 'version')::bigint from answer), pg_temp.newest('1'), 'which it names');
select results_eq('select title, price, note from shop.plays', $$ values ('HAMLET', 20, 'b') $$, 'and which can be taken back');
select is(versioning.restore(pg_temp.version('1', 3)) ->> 'outcome', 'unchanged', 'a row that is so already stays');
select is(versioning.restore(pg_temp.version('1', 3)) ->> 'version', null, 'and gets no version');
select is(versioning.restore(pg_temp.version('1', 1), columns => '{price}') -> 'restored', '["price"]'::jsonb, 'single columns');
select results_eq('select title, price, note from shop.plays', $$ values ('HAMLET', 10, 'b') $$, 'and no others');
select versioning.because('the director asked');
select versioning.restore(pg_temp.version('1', 1), columns => '{title}');
select matches((select reason from versioning.versions('shop.plays', '1') limit 1), '^restored version [0-9]+: the director asked$', 'the caller''s reason follows');
update shop.plays set note = 'c';
select results_eq(
    $$ select operation::text, reason from versioning.versions('shop.plays', '1') limit 1 $$, $$ values ('update', 'the director asked') $$,
    'what comes after it in the transaction is not a restore'
);

-- Changed since.
create temp table seen as select pg_temp.newest('1') as id;
update shop.plays set price = 99;
select matches(
    tests.error_of(format('select versioning.restore(%s, seen => %s)', pg_temp.version('1', 2), (select id from seen))),
    '^55000: Cannot restore row "1" of table "shop.plays": it was changed since: price \(.*merge', 'a row that was changed since is refused'
);
select is((select price from shop.plays), 99, 'and left');
select is(
    versioning.restore(pg_temp.version('1', 2), seen => (select id from seen), if_changed => 'merge') - '{version,table,key}'::text[],
    '{"outcome": "updated", "restored": ["title", "note"], "defaulted": [], "kept": ["price"], "dropped": []}'::jsonb, 'or merged'
);
select results_eq('select title, price, note from shop.plays', $$ values ('HAMLET', 99, 'a') $$, 'what was changed since stays');
select is(versioning.restore(pg_temp.version('1', 2), seen => (select id from seen), if_changed => 'overwrite') ->> 'outcome', 'updated', 'or overwritten');
select is((select price from shop.plays), 20, 'whatever it was');
select matches(tests.error_of(format('select versioning.restore(%s, if_changed => %L)', pg_temp.newest('1'), 'perhaps')), '^22023: if_changed => "perhaps" is not valid', 'there is no fourth way');
insert into shop.plays (title) values ('Lear');
select matches(
    tests.error_of(format('select versioning.restore(%s, seen => %s)', pg_temp.newest('1'), pg_temp.newest('2'))), '^22023: Cannot restore version .* belongs to another row', 'seen is of the same row'
);
select lives_ok(format('select versioning.restore(%s, seen => %s)', pg_temp.version('1', 1), pg_temp.newest('1')), 'a row that was not changed since is put back');

-- Gone.
create temp table alive as select pg_temp.newest('1') as id;
delete from shop.plays where id = 1;
select matches(tests.error_of(format('select versioning.restore(%s, columns => %L)', pg_temp.newest('1'), '{title}')), '^P0002: Cannot restore single columns', 'of a row that is gone only all');
select matches(
    tests.error_of(format('select versioning.restore(%s, seen => %s)', pg_temp.version('1', 1), (select id from alive))),
    '^55000: Cannot restore row "1" .*: it was deleted since', 'that it is gone is a change'
);
select is(versioning.restore(pg_temp.newest('1')) ->> 'outcome', 'inserted', 'the version of a delete brings the row back');
select results_eq('select id, title, price, note from shop.plays where id = 1', $$ values (1, 'Hamlet', 10, 'a') $$, 'under its key');
select is((select operation::text from versioning.versions('shop.plays', '1') limit 1), 'restore', 'as a restore');
select is(nextval('shop.plays_id_seq'), 3::bigint, 'the sequence is not asked');
truncate shop.plays;
select is(versioning.restore(pg_temp.newest('1')) ->> 'outcome', 'inserted', 'a truncated one too');
delete from shop.plays;
select is(versioning.restore(pg_temp.version('1', 2)) ->> 'outcome', 'inserted', 'any version of a row that is gone');
select is((select title from shop.plays), 'HAMLET', 'as it was then');

-- The table decides.
select matches(tests.error_of(format('select versioning.restore(%s, columns => %L)', pg_temp.newest('1'), '{id}')), '^42703: Cannot restore columns "id" \(The columns are: title, price, note', 'not the key');
select matches(tests.error_of(format('select versioning.restore(%s, columns => %L)', pg_temp.newest('1'), '{loud}')), '^42703', 'not what is generated');
select matches(tests.error_of('select versioning.restore(0)'), '^P0002: Version 0 does not exist', 'not what there is not');
alter table shop.plays drop constraint plays_price_check;
update shop.plays set price = -1;
update shop.plays set price = 5;
alter table shop.plays add check (price > 0);
select matches(tests.error_of(format('select versioning.restore(%s)', (select max(id) from versioning.versions('shop.plays', '1') where (after ->> 'price')::integer = -1))), '^23514', 'not what a check forbids');
create table shop.tags (play integer references shop.plays, tag text, primary key (play, tag));
select versioning.track('shop.tags');
insert into shop.tags values (1, 'tragedy');
delete from shop.tags;
delete from shop.plays;
select matches(tests.error_of(format('select versioning.restore(%s)', (select max(id) from versioning.history where table_name = 'tags'))), '^23503', 'not what a foreign key forbids');
update pg_temp.alive set id = pg_temp.newest('1');
set local client_min_messages = warning;
drop table shop.plays cascade;
select matches(tests.error_of(format('select versioning.restore(%s)', (select id from alive))), '^42P01: Cannot restore this version: its table does not exist', 'of a table that is gone');
create table shop.plays (id integer primary key, title text not null, price integer, note text, loud text);
select is(versioning.restore((select id from alive)) ->> 'outcome', 'inserted', 'until there is another of its name');
select results_eq('select id, title from shop.plays', $$ values (1, 'HAMLET') $$, 'into which rows are put back');
select * from finish();
rollback;
