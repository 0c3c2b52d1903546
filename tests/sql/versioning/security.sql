-- Who reads histories, who writes them (nobody), and whose rights a restore has.
begin;
select plan(56);

-- Grants, as they are.
create temp view api_roles as select unnest(array['anon', 'authenticated', 'service_role']) as name;
select is_empty(
    $$
        select a.name, c.relname from api_roles a, pg_class c
        where c.relnamespace = 'versioning'::regnamespace and c.relkind in ('r', 'v')
            and has_table_privilege(a.name, c.oid, 'insert, update, delete, truncate, references, trigger')
    $$,
    'nobody of the API writes a table of histories'
);
select is_empty(
    $$
        select a.name, c.relname from api_roles a, pg_class c
        where c.relnamespace = 'versioning'::regnamespace and c.relkind = 'S' and has_sequence_privilege(a.name, c.oid, 'usage, select, update')
    $$,
    'or draws their numbers'
);
select is_empty(
    $$ select relname from pg_class where relnamespace = 'versioning'::regnamespace and relkind = 'r' and not relrowsecurity $$, 'every table has row level security'
);
select is_empty(
    $$
        select c.relname from pg_class c where c.relnamespace = 'versioning'::regnamespace and c.relkind = 'v'
            and not coalesce(c.reloptions @> '{security_invoker=true}', false)
    $$,
    'every view the rights of who asks'
);
select is_empty(
    $$ select p.oid::regprocedure from pg_proc p where p.pronamespace::regnamespace::text ~ '^versioning' and not coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false) $$,
    'every function a search_path that nobody can put anything into'
);
select set_eq(
    $$ select p.proname from pg_proc p where p.pronamespace = 'versioning'::regnamespace and p.prosecdef $$, array['configure', '_number_of']::name[],
    'two have the owner''s rights, beside the trigger functions'
);
select is_empty(
    $$ select p.oid::regprocedure from pg_proc p where p.pronamespace::regnamespace::text ~ '^versioning' and has_function_privilege('public', p.oid, 'execute') $$,
    'none is for everybody'
);
select set_eq(
    $$ select p.proname from pg_proc p where p.pronamespace = 'versioning'::regnamespace and p.proname !~ '^_' and has_function_privilege('anon', p.oid, 'execute') $$,
    array['transaction', 'because', 'versions', 'diff', 'summary', 'as_of', 'rows_as_of', 'restore', 'undo']::name[], 'what anon may call'
);
select is_empty(
    $$ select p.proname from pg_proc p where p.pronamespace = 'versioning'::regnamespace and p.proname in ('track', 'untrack', 'refresh', 'upkeep', 'schedule', 'prune', 'configure') and has_function_privilege('authenticated', p.oid, 'execute') $$,
    'whoever is signed in begins and ends no history'
);

select is_empty(
    $$
        select a.name, p.oid::regprocedure from api_roles a, pg_proc p
        where p.pronamespace = 'versioning_private'::regnamespace and (has_schema_privilege(a.name, p.pronamespace, 'usage') or has_function_privilege(a.name, p.oid, 'execute'))
    $$,
    'private functions are out of reach, by the schema and one by one'
);
select set_eq(
    $$ select p.proname from pg_proc p where p.pronamespace = 'versioning'::regnamespace and p.proname ~ '^_' and not has_function_privilege('anon', p.oid, 'execute') $$,
    array[]::name[], 'what begins with _ in the public schema is there for the API''s roles'
);
select is_empty($$ select from pg_proc p where p.pronamespace = 'versioning_private'::regnamespace and p.prosecdef $$, 'and has the rights of who calls it');

-- A table that shows what is out to all, and to its author also what is not. Only the author writes.
create schema shop;
create table shop.plays (id integer primary key, title text, author uuid, is_out boolean not null default false);
create table shop.hidden (id integer primary key, word text);
alter table shop.plays enable row level security;
grant usage on schema shop to anon, authenticated, service_role;
grant select, insert, update, delete on shop.plays to authenticated;
grant select on shop.plays to anon;
create policy "out, to all" on shop.plays for select using (is_out);
create policy "own" on shop.plays to authenticated using (author = auth.uid()) with check (author = auth.uid());
select versioning.track('shop.plays'), versioning.track('shop.hidden');
insert into shop.hidden values (1, 'password');

create function pg_temp.become(role text, name text default null, claims jsonb default '{}') returns void language plpgsql as $$
begin
    perform set_config('request.jwt.claims', (claims || jsonb_build_object('role', role, 'sub', md5(name)::uuid))::text, true);
    perform set_config('role', role, true);
end;
$$;
grant usage on schema tests to anon, authenticated, service_role;
grant execute on all functions in schema tests to anon, authenticated, service_role;
create function pg_temp.seen() returns text language sql stable as $$
    select coalesce(string_agg(h.table_name || ' ' || h.key || '/' || h.version, ', ' order by h.table_name, h.key, h.version), '') from versioning.history h
$$;
select set_config('tests.ann', md5('ann')::uuid::text, true), set_config('tests.bob', md5('bob')::uuid::text, true);

-- Ann writes three plays; shows one, deletes one.
select pg_temp.become('authenticated', 'ann');
insert into shop.plays select n, 'draft ' || n, auth.uid() from generate_series(1, 3) n;
update shop.plays set title = 'play 1', is_out = true where id = 1;
delete from shop.plays where id = 3;
select is(pg_temp.seen(), 'plays 1/1, plays 1/2, plays 2/1', 'the author reads the histories of her rows; of one that is gone only editors');
select is((select count(*) from versioning.history where actor = auth.uid()::text and role = 'authenticated'), 3::bigint, 'they name her');
select set_config('tests.draft', (select id from versioning.versions('shop.plays', '2'))::text, true);
select pg_temp.become('anon');
select is(pg_temp.seen(), 'plays 1/1, plays 1/2', 'the public those of what is out');
select is((select before ->> 'title' from versioning.history where key = '1' and version = 2), 'draft 1', 'with what it was before');
select is_empty($$ select from versioning.versions('shop.plays', '2') $$, 'not of what is not');
select is_empty($$ select from versioning.as_of('shop.plays', clock_timestamp()) r where r ->> 'id' <> '1' $$, 'nor as it was');
select matches(tests.error_of('select versioning.diff(' || current_setting('tests.draft') || ')'), '^P0002: Version .* does not exist or you may not read it', 'nor by its number');
select matches(tests.error_of('select versioning.restore(' || current_setting('tests.draft') || ')'), '^P0002', 'nor to restore');
select is_empty($$ select from versioning.tables where table_name = 'hidden' $$, 'tables that it may not read are not named');
select is_empty($$ select from versioning.layouts l where 'word' = any (l.names) $$, 'nor their columns');
select matches(tests.error_of($$ select versioning.restore((select min(id) from versioning.history)) $$), '^42501', 'restore() has the caller''s rights: none on the table');
select matches(tests.error_of($$ insert into versioning.records (transaction, table_id, layout_id, operation, key, row) values (1, 1, 1, 'create', '1', '()') $$), '^42501', 'it inserts no history');
select matches(tests.error_of('update versioning.records set reason = null'), '^42501', 'changes none');
select matches(tests.error_of('delete from versioning.records'), '^42501', 'deletes none');
select matches(tests.error_of('truncate versioning.records'), '^42501', 'truncates none');
select matches(tests.error_of('update versioning.history set reason = null'), '^(42501|55000)', 'nor through the view');
select matches(tests.error_of($$ select versioning.track('shop.plays') $$), '^42501', 'and begins none');
select matches(tests.error_of($$ select versioning.configure('anon') $$), '^42501', 'and makes nobody an editor');
select pg_temp.become('authenticated', 'bob');
select is(pg_temp.seen(), 'plays 1/1, plays 1/2', 'another author reads what is out');
select matches(tests.error_of($$ select versioning.restore((select min(id) from versioning.history)) $$), '^42501: Cannot restore row "1" of table "shop.plays": you may not change it', 'and does not restore it: the policies hold');
select is((select title from shop.plays where id = 1), 'play 1', 'it is as it was');
select pg_temp.become('authenticated', 'ann');
select is((versioning.restore((select id from versioning.versions('shop.plays', '1') where version = 1), columns => '{title}') ->> 'outcome'), 'updated', 'the author does');
select results_eq($$ select operation::text, actor from versioning.versions('shop.plays', '1') limit 1 $$, $$ values ('restore', md5('ann')::uuid::text) $$, 'in her name');

-- What a row was under others' eyes counts for nothing: it is read by whoever reads it now.
reset role;
update shop.plays set author = md5('bob')::uuid where id = 2;
select pg_temp.become('authenticated', 'ann');
select is(pg_temp.seen(), 'plays 1/1, plays 1/2, plays 1/3', 'who has given a row away does not read on');
select pg_temp.become('authenticated', 'bob');
select ok(pg_temp.seen() like '%plays 2/1, plays 2/2', 'who got it does');

-- Editors.
select pg_temp.become('authenticated', 'eve', '{"app_metadata": {"role": "editor"}}');
select is(pg_temp.seen(), 'hidden 1/1, plays 1/1, plays 1/2, plays 1/3, plays 2/1, plays 2/2, plays 3/1, plays 3/2', 'an editor by her token reads everything');
select matches(tests.error_of($$ select versioning.restore((select id from versioning.history where table_name = 'hidden')) $$), '^42501', 'and restores what she may write only');
select is((select count(*) from versioning.diff((select id from versioning.history where table_name = 'plays' and operation = 'delete'))), 4::bigint, 'also of rows that are gone');
select pg_temp.become('authenticated', 'eve', '{"user_metadata": {"role": "editor"}}');
select is(pg_temp.seen(), 'plays 1/1, plays 1/2, plays 1/3', 'what users write into their tokens themselves makes no editor');
reset role;
select versioning.configure(editor_role => 'redaction');
select pg_temp.become('authenticated', 'eve', '{"app_metadata": {"role": "editor"}}');
select ok(pg_temp.seen() not like '%hidden%', 'another name: who had the old one is none');
select pg_temp.become('authenticated', 'eve', '{"app_metadata": {"role": "redaction"}}');
select ok(pg_temp.seen() like '%hidden%', 'who has the new one is');
reset role;
create role redaction;
grant redaction, authenticated to postgres;
grant authenticated to redaction;
select pg_temp.become('redaction', 'eve');
select ok(pg_temp.seen() like '%hidden%', 'so is a database role of that name');
reset role;

-- Grants on single columns, none at all, and who passes by policies.
revoke select on shop.plays from anon;
grant select (id, title) on shop.plays to anon;
select pg_temp.become('anon');
select is(pg_temp.seen(), '', 'who may read some columns only reads no history: it has all of them');
reset role;
revoke all on shop.plays from anon;
select pg_temp.become('anon');
select is(pg_temp.seen(), '', 'who may read nothing, nothing');
select matches(tests.error_of('select * from versioning.sizes'), '^42501', 'nor how much there is');
select pg_temp.become('service_role');
select ok(pg_temp.seen() like 'hidden 1/1, %plays 3/2', 'the service role reads everything');
select matches(tests.error_of('delete from versioning.records'), '^42501', 'and deletes nothing');
select lives_ok($$ select versioning.configure(editor_role => 'editor') $$, 'it changes settings');
select matches(tests.error_of('update versioning.settings set editor_role = ''anon'''), '^42501', 'by the verb only');
reset role;

-- A history that ended, and names that could mislead.
select versioning.untrack('shop.plays');
select pg_temp.become('authenticated', 'ann');
select is(pg_temp.seen(), 'plays 1/1, plays 1/2, plays 1/3', 'after untrack() the policies hold still');
reset role;
drop table shop.hidden;
select pg_temp.become('authenticated', 'ann');
select ok(pg_temp.seen() not like '%hidden%', 'the history of a table that is gone is not read');
select pg_temp.become('authenticated', 'eve', '{"app_metadata": {"role": "editor"}}');
select ok(pg_temp.seen() like '%hidden%', 'but by editors');
-- Key words in SQL text, a quote in a key: nothing of it is run.
reset role;
create table shop."odd ""names' %I $1" ("key' or true --" text primary key, "a b" text);
select versioning.track('shop."odd ""names'' %I $1"');
insert into shop."odd ""names' %I $1" values (''' or true; --', 'x'), ('b', 'y');
delete from shop."odd ""names' %I $1" where "a b" = 'x';
select is((select count(*) from versioning.versions('shop."odd ""names'' %I $1"', ''' or true; --')), 2::bigint, 'odd names and keys are names and keys');
select is((versioning.restore((select max(id) from versioning.history)) ->> 'outcome'), 'inserted', 'and are put back');
select * from finish();
rollback;
