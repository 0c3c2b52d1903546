-- Which tables can be tracked, with which options, and what tracking leaves behind.
begin;
select plan(37);

create schema shop;
create table shop.plays (id uuid primary key default gen_random_uuid(), title text, secret text, hits integer default 0, out_at timestamptz, is_out boolean);
insert into shop.plays (title) select 'play ' || n from generate_series(1, 3) n;

-- Beginning.
select is(versioning.track('shop.plays'), 3::bigint, 'track() answers how many rows it found');
select results_eq(
    $$ select operation::text, version, before is null, after ->> 'title' from versioning.history order by after ->> 'title' $$,
    $$ values ('baseline', 1, true, 'play 1'), ('baseline', 1, true, 'play 2'), ('baseline', 1, true, 'play 3') $$,
    'each has a version, `baseline`'
);
select is(versioning.track('shop.plays'), 0::bigint, 'a second time finds nothing new');
select is((select count(*) from versioning.history), 3::bigint, 'and adds nothing');
select is(
    (select array_agg(tgname::text order by tgname) from pg_trigger where tgrelid = 'shop.plays'::regclass and not tgisinternal),
    '{versioning_delete,versioning_insert,versioning_truncate,versioning_update}',
    'there are four triggers'
);
select ok((select bool_and(tgtype & 1 = 0) from pg_trigger where tgrelid = 'shop.plays'::regclass and not tgisinternal), 'all for statements');
select is((select count(*) from cron.job where jobname = 'versioning-upkeep' and active), 1::bigint, 'the upkeep has a job');

-- Ending and going on.
select ok(versioning.untrack('shop.plays'), 'untrack() says that there was something to end');
select ok(not versioning.untrack('shop.plays'), 'and a second time that there was not');
select is_empty($$ select from pg_trigger where tgrelid = 'shop.plays'::regclass and not tgisinternal $$, 'the triggers are gone');
select is_empty($$ select from pg_proc where pronamespace = 'versioning'::regnamespace and proname ~ '^_record_[0-9]' $$, 'so is their function');
select is((select count(*) from versioning.history), 3::bigint, 'the history is not');
update shop.plays set title = 'rewritten' where title = 'play 1';
delete from shop.plays where title = 'play 2';
insert into shop.plays (title) values ('play 4');
select is(versioning.track('shop.plays'), 2::bigint, 'tracked again: one row was changed meanwhile, one is new');
select results_eq(
    $$ select operation::text, version, coalesce(after, before) ->> 'title' from versioning.history where id > (select min(id) + 2 from versioning.history) order by 3 $$,
    $$ values ('delete', 2, 'play 2'), ('baseline', 1, 'play 4'), ('baseline', 2, 'rewritten') $$,
    'the history goes on where it ended, and ends what is gone'
);

-- Options.
select lives_ok($$ select versioning.track('shop.plays', left_out => '{secret,hits}', published => 'out_at', keep_versions => 10, keep_for => '1 year') $$, 'options');
insert into shop.plays (title, secret, hits) values ('open', 'password', 7);
select is(
    (select array(select jsonb_object_keys(h.after) order by 1) from versioning.history h order by id desc limit 1),
    '{id,is_out,out_at,title}', 'columns that are left out are not recorded'
);
select is_empty($$ select from versioning.records r where r::text like '%password%' $$, 'their values are nowhere in the history');
create temp table newest as select max(id) as id from versioning.history;
update shop.plays set hits = hits + 1, secret = 'another';
select is_empty($$ select from versioning.history where id > (select id from newest) $$, 'a change of nothing else makes no version');
update shop.plays set out_at = now() where title = 'open';
update shop.plays set out_at = now() + interval '1 day' where title = 'open';
update shop.plays set out_at = null, title = 'closed' where title = 'open';
select is(
    (select array_agg(operation::text order by id) from versioning.history where id > (select id from newest)),
    '{publish,update,unpublish}', 'a time tells published from not'
);
select lives_ok($$ select versioning.track('shop.plays', published => 'is_out') $$, 'options may change');
update shop.plays set is_out = false where title = 'closed';
update shop.plays set is_out = true where title = 'closed';
update shop.plays set is_out = null where title = 'closed';
select is(
    (select array_agg(operation::text order by id) from (select * from versioning.history order by id desc limit 3) h),
    '{update,publish,unpublish}', 'a boolean tells it too, null being not'
);
select results_eq(
    $$ select cardinality(left_out), keep_versions, keep_for from versioning.tables $$, $$ values (2, 10, interval '1 year') $$,
    'what a call does not name stays'
);
select matches(tests.error_of($$ select versioning.track('shop.plays', keep_versions => 0) $$), '^23514', 'keep_versions is one at least');

-- A table that has a trigger of its own for its history.
create table shop.audited (id integer primary key, title text);
create table shop.audit (id integer, title text);
create function shop.audit() returns trigger language plpgsql as $$ begin insert into shop.audit select new.id, new.title; return null; end; $$;
create trigger audit after insert or update on shop.audited for each row execute function shop.audit();
select versioning.track('shop.audited');
insert into shop.audited values (1, 'both');
select results_eq('select title from shop.audit', $$ select after ->> 'title' from versioning.versions('shop.audited', '1') $$, 'a trigger of the table''s own goes on beside ours');
select versioning.untrack('shop.audited');
update shop.audited set title = 'its own';
select is((select array_agg(title order by title) from shop.audit), '{both,"its own"}', 'and after us');
select is((select array_agg(tgname::text) from pg_trigger where tgrelid = 'shop.audited'::regclass), '{audit}', 'unchanged');

-- What cannot be tracked, and why.
create view shop.a_view as select 1 as id;
create table shop.no_key (a integer);
create temp table temporary (id integer primary key);
create table shop.parent (id integer primary key);
create table shop.child (primary key (id)) inherits (shop.parent);
create table shop.parts (id integer primary key) partition by range (id);
create table shop.parts_1 partition of shop.parts for values from (1) to (10);
select matches(tests.error_of($$ select versioning.track('shop.a_view') $$), '^0A000: Cannot track table "shop.a_view": it is not a table', 'no view');
select matches(tests.error_of($$ select versioning.track('shop.no_key') $$), '^0A000: .* no primary key \(Add one: alter table shop.no_key', 'no table without a primary key');
select matches(tests.error_of($$ select versioning.track('temporary') $$), '^0A000: .* temporary', 'no temporary table');
select matches(tests.error_of($$ select versioning.track('shop.parent') $$), '^0A000: .* inherits', 'no parent');
select matches(tests.error_of($$ select versioning.track('shop.child') $$), '^0A000: .* inherits', 'no child');
select matches(tests.error_of($$ select versioning.track('shop.parts_1') $$), '^0A000: .* is a partition \(Track .*shop.parts', 'no single partition');
select matches(tests.error_of($$ select versioning.track('versioning.records') $$), '^0A000: .* part of versioning itself', 'no history of histories');
select matches(tests.error_of($$ select versioning.track(null) $$), '^42P01', 'not nothing');
select matches(tests.error_of($$ select versioning.track('shop.plays', left_out => '{nowhere}') $$), '^42703: Cannot find column "nowhere".*The columns are: id', 'no column that is not there');
select matches(tests.error_of($$ select versioning.track('shop.plays', left_out => '{id}') $$), '^22023: Cannot leave out a column of the primary key', 'the key is not left out');
select matches(tests.error_of($$ select versioning.track('shop.plays', published => 'title') $$), '^42804: Cannot use column "title" to recognize published rows', 'a text does not tell published from not');

select * from finish();
rollback;
