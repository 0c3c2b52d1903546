-- Who may do what: the API's roles nothing, service_role what a person with the service key needs, nobody else
-- anything.
begin;
select plan(19);

create temp view api_roles as select unnest(array['anon', 'authenticated', 'public', 'authenticator', 'dashboard_user', 'supabase_storage_admin']) as name;
create temp view relations as
select c.oid, c.relname from pg_class c where c.relnamespace = 'backup'::regnamespace and c.relkind in ('r', 'v', 'S', 'm', 'p');
create temp view functions as
select p.oid, p.proname, p.prosecdef, p.proconfig, p.proowner from pg_proc p where p.pronamespace = 'backup'::regnamespace;

select ok((select count(*) > 30 from functions) and (select count(*) > 8 from relations), 'there is something to look at');
select is_empty(
    $$ select name from api_roles where has_schema_privilege(name, 'backup', 'usage, create') $$, 'the schema is closed to the API''s roles'
);
select is_empty(
    $$
        select a.name, r.relname from api_roles a, relations r
        where case
            when (select relkind from pg_class where oid = r.oid) = 'S' then has_sequence_privilege(a.name, r.oid, 'usage, select, update')
            else has_table_privilege(a.name, r.oid, 'select, insert, update, delete, truncate, references, trigger')
        end
    $$,
    'so is every table and view'
);
select is_empty(
    $$ select a.name, f.oid::regprocedure from api_roles a, functions f where has_function_privilege(a.name, f.oid, 'execute') $$,
    'and every function'
);

-- service_role.
select set_eq(
    $$ select relname::text from relations where has_table_privilege('service_role', oid, 'select') $$,
    array['log', 'settings', 'events', 'alerts', 'channels', 'copies', 'health', 'contents', 'table_rows', 'restores'],
    'service_role reads the log, the settings, what was told, copied and restored, what backups hold, and health'
);
select is_empty(
    $$
        select relname from relations
        where (select relkind from pg_class c where c.oid = relations.oid) <> 'S'
            and has_table_privilege('service_role', oid, 'insert, update, delete, truncate, references, trigger')
    $$,
    'and writes nothing'
);
select set_eq(
    $$ select proname::text from functions where has_function_privilege('service_role', oid, 'execute') $$,
    array['configure', 'start', 'cancel', 'pin', 'unpin', 'schedule', 'unschedule', 'is_schedule', 'schedule_check', 'examine', 'copy', 'version',
        'cancel_restore', 'drill', 'peek', 'restore_rows', 'restore_schema', 'restore_table', 'schedule_drill', 'unschedule_drill'],
    'it has the public verbs'
);
set local role service_role;
select lives_ok('select from backup.log', 'really');
select lives_ok('select backup.configure()', 'under row level security');
select throws_ok('delete from backup.log', '42501', null, 'and no more');
select throws_ok('select backup.dispatch(1)', '42501', null, 'calls are the database''s own');
select throws_ok('select backup.watch()', '42501', null, 'so is the watch-dog');
select throws_ok($$ select backup._redeem('x') $$, '42501', null, 'and the worker''s verbs');
select throws_ok('select from backup.calls', '42501', null, 'and the hashes of tokens');
reset role;
set local role authenticated;
select throws_ok('select from backup.log', '42501', null, 'a person who is signed in sees nothing');
reset role;

-- How that is held up.
select is_empty(
    $$ select relname from pg_class where relnamespace = 'backup'::regnamespace and relkind = 'r' and not relrowsecurity $$,
    'every table has row level security'
);
select is_empty($$ select polname from pg_policy where polrelid in (select oid from relations) $$, 'and no policy');
select is_empty(
    $$ select proname from functions where proconfig is null or  not 'search_path=pg_catalog, pg_temp' = any (proconfig) $$, 'every function fixes its search_path'
);
select set_eq(
    $$ select proname::text from functions where prosecdef $$,
    array['configure', 'start', 'cancel', 'pin', 'unpin', 'schedule', 'unschedule', 'schedule_check', 'examine', 'copy', '_after_run',
        'cancel_restore', 'drill', 'peek', 'restore_rows', 'restore_schema', 'restore_table', 'schedule_drill', 'unschedule_drill'],
    'those that act with their owner''s rights are the ones that write, and the look at everything'
);

select * from finish();
rollback;
