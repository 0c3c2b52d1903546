-- Rows of named tables that are not backed up, and what health says of the newest backup's contents.
begin;
select plan(7);

select is((select leave_out from backup.settings), '{}'::text[], 'all rows are backed up at first');
select matches(backup.configure(leave_out => '{public.logs, "odd schema.a.b"}'), 'leave_out: ', 'tables can be named');
select is((select leave_out from backup.settings), '{public.logs,"odd schema.a.b"}'::text[], 'as they are, not quoted');
select matches(backup.configure(workers => 3), '^workers', 'and stay named when other settings change');
select is((backup._settings_of_attempt() ->> 'leave_out')::jsonb, '["public.logs", "odd schema.a.b"]'::jsonb, 'an attempt works with them');
select results_eq(
    $$ select reason ->> 'code', reason ->> 'severity', reason ->> 'message' from backup._check_contents() reason $$,
    $$ values ('rows_left_out', 'info', 'Rows of these tables are not backed up: public.logs, odd schema.a.b') $$,
    'health says which'
);
select backup.configure(leave_out => '{}');
insert into backup.log (name, trigger, status, finished_at, verified_at, checksum, settings, warnings)
select 'backup-20010203-040500', 'manual', 'succeeded', now(), now(), tests.sha256('m'), '{}', jsonb_agg(jsonb_build_object('code', 'may_not_restore', 'object', 'constraint c' || n, 'message', 'm'))
from generate_series(1, 6) n;
select results_eq(
    $$ select reason ->> 'code', reason ->> 'severity', reason ->> 'message' from backup._check_contents() reason $$,
    $$
        values ('may_not_restore', 'info',
            '6 objects in backup-20010203-040500 may not restore as they are: constraint c1, constraint c2, constraint c3, constraint c4, constraint c5, …')
    $$,
    'and what of the newest backup a server may refuse'
);
select * from finish();
rollback;
