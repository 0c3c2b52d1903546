-- Values come back exactly as they were, whatever their type and whatever the settings of the session, under keys of
-- any type.
begin;
select plan(43);

create schema shop;
create type shop.mood as enum ('calm', 'a "quoted", \ one');
create type shop.place as (street text, zip integer, at point);
create domain shop.price as numeric(12, 4);
create table shop.everything (
    id uuid primary key,
    whole smallint, long bigint, exact numeric, scaled numeric(20, 6), price shop.price, single real, double_ double precision,
    words text, padded char(5), bytes bytea, truth boolean, day date, hour time, hour_tz timetz, moment timestamp, moment_tz timestamptz, span interval,
    doc json, docb jsonb, tree xml, words_many text[], numbers numeric[][], moments timestamptz[], moods shop.mood[], mood shop.mood,
    place shop.place, places shop.place[], during tstzrange, holes int4multirange, address inet, net cidr, mac macaddr,
    bits bit varying, search tsvector, spot point, bent path, money_ money, place_of_row tid
);
select versioning.track('shop.everything');

insert into shop.everything values (
    '00000000-0000-4000-8000-000000000001',
    -32768, 9223372036854775807, 'NaN', 1.100000, 0.0001, 'Infinity', 0.1::float8 + 0.2,
    e'line\nline\t"quoted", \\ (brackets) ''ticks'' é 🎭', 'ab', '\x00ff225c2c', true, '4713-01-01 BC', '24:00', '12:00:00.000001+13:45',
    '294276-12-31 23:59:59.999999', '-infinity', '1 year -2 months 3 days -04:05:06.000007',
    '{"b": 1, "a" :  2, "b": 3}', '{"a": 1.10, "b": "\"x\\"}', '<a b="c"/>', array['', null, 'NULL', '{}', 'a,b', '"', '\'],
    array[[1.10, 2], [null, 1e-20]], array['2026-03-29 02:30+01', 'infinity']::timestamptz[], array['calm', 'a "quoted", \ one']::shop.mood[], 'a "quoted", \ one',
    row('rue "X", 1', 75001, point(0.1, 1e300)), array[row('', null, null), null]::shop.place[], '(2026-01-01,]', '{[1,3),[5,7)}', '2001:db8::1/64', '10.0.0.0/8', '08:00:2b:01:02:03',
    b'101', 'le:1A ''l''''été'':2', point(0.1, 0.2), '((0,0),(1.1,2.2))', 12.34, '(1,2)'
);
-- Of this row nearly all is null or empty, which are not the same.
insert into shop.everything (id, words, bytes, words_many, docb) values ('00000000-0000-4000-8000-000000000002', '', '', '{}', 'null');
create temp table at_first as select * from shop.everything;

-- Written under settings that lose precision or are ambiguous.
set local timezone = 'Asia/Kolkata';
set local datestyle = 'SQL, DMY';
set local intervalstyle = 'sql_standard';
set local extra_float_digits = -10;
set local bytea_output = 'escape';
update shop.everything set truth = not coalesce(truth, false), double_ = double_ + 1, moment_tz = '2026-03-04 05:06:07.123456+00', span = '3 days', bytes = '\x01', doc = '{"b": 1}';
select versioning.restore(id) from versioning.history where operation = 'create' and key like '%1';
select is((select f::text from shop.everything f where id::text like '%1'), (select f::text from at_first f where id::text like '%1'), 'restored, as it was');
select ok((select f.* *= e.* from shop.everything f join at_first e using (id) where id::text like '%1'), 'bit by bit');
delete from shop.everything;
select versioning.restore(max(id)) from versioning.history where operation = 'delete' group by key;
select ok((select f.* *= e.* from shop.everything f join at_first e using (id) where id::text like '%1'), 'also when it was gone');
select ok((select words = '' and bytes = '\x01' and words_many = '{}' and docb = 'null' and long is null and span = '3 days' from shop.everything where id::text like '%2'), 'nulls are null and empty is empty');
select is(
    concat_ws(' ', current_setting('timezone'), current_setting('datestyle'), current_setting('intervalstyle'), current_setting('extra_float_digits'), current_setting('bytea_output')),
    'Asia/Kolkata SQL, DMY sql_standard -10 escape', 'the session keeps its settings'
);
create table shop.late (id integer primary key);
select versioning.track('shop.late');
alter table shop.late add column half float8;
insert into shop.late values (1, 0.1::float8 + 0.2::float8);
select is((select after ->> 'half' from versioning.versions('shop.late', '1')), '0.30000000000000004', 'a column that is new since the trigger was made is as exact');
reset timezone;
set local datestyle = 'ISO';
select is(
    (select before ->> 'moment_tz' from versioning.history where operation = 'delete' and key like '%2' order by id limit 1), '2026-03-04 05:06:07.123456+00',
    'whatever the session''s settings, a time is stored one way'
);
select ok((select bool_and(r.* *= e.*) from versioning.rows_as_of(null::shop.everything, clock_timestamp(), '00000000-0000-4000-8000-000000000001') r join at_first e using (id)), 'rows_as_of() is as exact');
create temp table newest as select max(id) as id from versioning.history;
update shop.everything set exact = exact, scaled = scaled, doc = doc, tree = tree, words_many = words_many, place = place, holes = holes, bent = bent, search = search;
select is((select max(id) from versioning.history), (select id from newest), 'an update to the same values makes no version, of types without equality either');
update shop.everything set doc = '{"b": 1, "a" : 2}' where id::text like '%1';
select is((select changed from versioning.history order by id desc limit 1), '{doc}', 'json differs when it is written differently');
create table shop.numbers (id integer primary key, n numeric, c text collate "C", f float8, s char(3));
select versioning.track('shop.numbers');
insert into shop.numbers values (1, 1.0, 'a', 0, 'a');
update shop.numbers set n = 1.00;
select is((select before ->> 'n' || ' ' || (after ->> 'n') from versioning.history order by id desc limit 1), '1.0 1.00', 'so does a numeric');
update shop.numbers set f = '-0';
select is((select changed from versioning.history order by id desc limit 1), '{f}', 'and a zero with a sign');
create extension citext with schema extensions;
create collation shop.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
alter table shop.numbers add ci extensions.citext default 'x', add nd text collate shop.blind default 'x';
update shop.numbers set ci = 'X';
select is((select changed from versioning.history order by id desc limit 1), '{ci}', 'a text whose type takes it for equal');
update shop.numbers set nd = 'X';
select is((select changed from versioning.history order by id desc limit 1), '{nd}', 'or whose collation does');


-- A column of type json keeps its text, also where jsonb cannot hold it: U+0000, half of a surrogate pair, a number of
-- a million digits.
create type shop.wrapped as (doc json);
create table shop.answers (id integer primary key, body json, wrapped shop.wrapped);
select versioning.track('shop.answers');
insert into shop.answers values (1, '{"text":"a\u0000b"}', row('"\ud800"'));
update shop.answers set body = '{"text":"\ud800"}' where id = 1;
insert into shop.answers values (2, '[1e1000000]', null), (3, '{"text": "fine"}', null);
select results_eq(
    $$ select version, before -> 'body', after -> 'body' from versioning.versions('shop.answers', '1') $$,
    $$ values (2, to_jsonb('{"text":"a\u0000b"}'::text), to_jsonb('{"text":"\ud800"}'::text)), (1, null, to_jsonb('{"text":"a\u0000b"}'::text)) $$,
    'json that jsonb cannot hold is shown as text'
);
select results_eq(
    $$ select key collate "default", after ->> 'body' from versioning.history where table_name = 'answers' and operation = 'create' and key > '1' order by id $$,
    $$ values ('2', '[1e1000000]'), ('3', '{"text": "fine"}') $$, 'and the history of all tables is read'
);
select results_eq(
    $$ select r -> 'body' from versioning.as_of('shop.answers', clock_timestamp()) r order by (r ->> 'id')::integer $$,
    $$ values (to_jsonb('{"text":"\ud800"}'::text)), (to_jsonb('[1e1000000]'::text)), ('{"text": "fine"}'::jsonb) $$, 'as_of() too'
);
select is((select r ->> 'wrapped' from versioning.as_of('shop.answers', clock_timestamp(), '1') r), '{"doc":"\ud800"}', 'also inside of other values');
select versioning.restore(id) from versioning.versions('shop.answers', '1') where version = 1;
select is((select body::text from shop.answers where id = 1), '{"text":"a\u0000b"}', 'it is restored as it was');

-- Keys. The table, a key that is inserted, that key as people write it, and as the history does.
create function pg_temp.key_works(type text, value text, asked text, written text)
returns boolean
language plpgsql
as $$
declare
    kept text;
begin
    execute format('create table shop.keyed (k %s primary key, v integer)', type);
    perform versioning.track('shop.keyed');
    execute format('insert into shop.keyed values (%L, 1)', value);
    execute 'update shop.keyed set v = 2';
    execute 'delete from shop.keyed';
    select string_agg(version || '=' || key || '=' || operation, ' ' order by version) into kept from versioning.versions('shop.keyed', asked);
    perform versioning.restore(v.id) from versioning.versions('shop.keyed', asked) v where v.version = 2;
    execute format('select $1 || '' '' || v from shop.keyed where k = %L', value) into kept using kept;
    drop table shop.keyed;
    if kept is distinct from format('1=%1$s=create 2=%1$s=update 3=%1$s=delete 2', written) then
        raise notice 'found %', kept;
    end if;
    return kept = format('1=%1$s=create 2=%1$s=update 3=%1$s=delete 2', written);
end;
$$;
select ok(pg_temp.key_works(k.type, k.value, k.asked, k.written), 'a key of type ' || k.type)
from (
    values
        ('uuid', '6F9C6D0E-0000-4000-8000-000000000001', '6F9C6D0E-0000-4000-8000-000000000001', '6f9c6d0e-0000-4000-8000-000000000001'),
        ('bigint', '9223372036854775807', '09223372036854775807', '9223372036854775807'),
        ('text', 'é, "x" \ (', 'é, "x" \ (', 'é, "x" \ ('),
        ('varchar(10)', '', '', ''),
        ('numeric', '1.10', '1.100', '1.1'),
        ('date', '2026-03-04', '4 March 2026', '2026-03-04'),
        ('timestamptz', '2026-03-04 05:06:07+02', '2026-03-04 03:06:07Z', '2026-03-04 03:06:07+00'),
        ('bytea', '\x00ff', '\x00FF', '\x00ff'),
        ('shop.mood', 'a "quoted", \ one', 'a "quoted", \ one', 'a "quoted", \ one'),
        ('inet', '10.0.0.1', '10.0.0.1/32', '10.0.0.1/32'),
        ('text[]', '{a,"b c"}', '{"a","b c"}', '{a,"b c"}'),
        ('int4range', '[1,2]', '[1,3)', '[1,3)'),
        ('double precision', '0.1', '0.10', '0.1'),
        ('jsonb', '{"a": 1}', '{"a":1}', '{"a": 1}')
) k (type, value, asked, written);

create table shop.seats ("row" text, number integer, "Night" date, taken boolean default false, note text, primary key ("Night", "row", number));
select versioning.track('shop.seats');
insert into shop.seats values ('A, "left"', 7, '2026-05-01'), ('B', 7, '2026-05-01');
update shop.seats set taken = true where "row" <> 'B';
select is(
    (select array_agg(version || ' ' || operation order by version) from versioning.versions('shop.seats', row('2026-05-01', 'A, "left"', 7)::text)),
    '{"1 create","2 update"}', 'a key of three columns, in the order of the key'
);
delete from shop.seats where "row" <> 'B';
select lives_ok($$ select versioning.restore(id) from versioning.versions('shop.seats', '("2026-05-01","A, ""left""",7)') where operation = 'delete' $$, 'of which a row is put back');
select is((select taken from shop.seats where "row" <> 'B'), true, 'as it was');
create table shop.only_key (a integer, b text, primary key (a, b));
select versioning.track('shop.only_key');
insert into shop.only_key values (1, 'x');
update shop.only_key set b = 'x';
delete from shop.only_key;
select is((select array_agg(operation::text order by id) from versioning.history where table_name = 'only_key'), '{create,delete}', 'a table of nothing but its key');
select lives_ok($$ select versioning.restore(max(id)) from versioning.history where table_name = 'only_key' $$, 'has rows to put back too');
select results_eq('table shop.only_key', $$ values (1, 'x') $$, 'and they are');
-- An update of one short row stores the old row, any other the old values of changed columns; both tell the same.
create table shop.long (id integer primary key, body text, note text, gone text);
select versioning.track('shop.long');
insert into shop.long values (1, 'a "short", one', '-', null), (2, repeat('a', 3000), '-', null), (3, '(', '-', null);
update shop.long set note = null where id = 1;
update shop.long set note = null where id = 2;
update shop.long set note = null, gone = '' where id > 1;
update shop.long set note = '(' where id = 3;
select results_eq(
    $$ select key collate "default", cardinality(before), length(before::text) < 100 from versioning.records where key in ('1', '2') and table_id = versioning._find('shop.long') and before is not null order by id $$,
    $$ values ('1', 1, true), ('2', 3, true), ('2', 3, true) $$, 'what is stored of old rows'
);
select results_eq(
    $$ select h.key collate "default", d.column_name, d.before, d.after from versioning.history h, versioning.diff(h.id) d where h.table_id = versioning._find('shop.long') and h.operation = 'update' order by h.key, h.version, 2 $$,
    $$ values ('1', 'note', '-', null), ('2', 'note', '-', null), ('2', 'gone', null, ''), ('3', 'gone', null, ''), ('3', 'note', '-', null), ('3', 'note', null, '(') $$, 'and what it tells'
);
select is((select before from versioning.versions('shop.long', '1') limit 1), '{"id": 1, "body": "a \"short\", one", "note": "-", "gone": null}', 'to the last character');
-- A column that may be null now.
create table shop.names (id integer primary key, name text not null);
select versioning.track('shop.names');
insert into shop.names values (1, 'a');
alter table shop.names alter column name drop not null;
update shop.names set name = null;
update shop.names set name = 'b';
select results_eq(
    $$ select version, before -> 'name', after -> 'name' from versioning.versions('shop.names', '1') limit 2 $$,
    $$ values (3, 'null'::jsonb, '"b"'::jsonb), (2, '"a"', 'null') $$, 'a column that may be null since'
);
select * from finish();
rollback;
