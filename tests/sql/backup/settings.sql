-- Settings: one row, every value checked, and every refusal says what is allowed.
begin;
select plan(51);

select is((select count(*) from backup.settings), 1::bigint, 'the migrations leave one row of settings');

create temp table refused (setting text, value text, rule text);
insert into refused values
    ('function_url', '''project.example/backup''', 'function_url_form'),
    ('function_url', '''https://<project-ref>.supabase.co/functions/v1/backup''', 'function_url_form'),
    ('function_url', '''ftp://project.example/backup''', 'function_url_form'),
    ('function_url', '''https://user:secret@project.example/backup''', 'function_url_form'),
    ('function_url', '''https://project.example/backup?key=1''', 'function_url_form'),
    ('function_url', '''https://project.example''', 'function_url_form'),
    ('function_url', 'e''https://project.example/backup\n''', 'function_url_form'),
    ('bucket', '''back ups''', 'bucket_form'),
    ('bucket', '''a/b''', 'bucket_form'),
    ('bucket', '''''', 'bucket_form'),
    ('slice_bytes', '65535', 'slice_bytes_range'),
    ('slice_bytes', '125829121', 'slice_fits_its_parts'),
    ('invocation_bytes', '65535', 'invocation_bytes_range'),
    ('invocation_bytes', '10737418241', 'invocation_bytes_range'),
    ('part_bytes', '50000001', 'part_bytes_range'),
    ('storage_quota_bytes', '-1', 'storage_quota_bytes_range'),
    ('level', '0', 'level_range'),
    ('level', '10', 'level_range'),
    ('workers', '0', 'workers_range'),
    ('workers', '9', 'workers_range'),
    ('lease_seconds', '1', 'lease_seconds_range'),
    ('lease_seconds', '3601', 'lease_seconds_range'),
    ('call_ttl_seconds', '9', 'call_ttl_seconds_range'),
    ('max_attempts', '0', 'max_attempts_range'),
    ('max_attempts', '11', 'max_attempts_range'),
    ('lock_timeout_ms', '0', 'lock_timeout_ms_range'),
    ('keep_scheduled', '0', 'keep_scheduled_range'),
    ('keep_manual', '0', 'keep_manual_range'),
    ('keep_weekly', '-1', 'keep_weekly_range'),
    ('keep_monthly', '1001', 'keep_monthly_range'),
    ('keep_yearly', '-1', 'keep_yearly_range'),
    ('recipient', '''age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcacp''', 'recipient_form'),
    ('second_copy', '''perhaps''', 'second_copy_known'),
    ('alert_reminder_days', '0', 'alert_reminder_days_range'),
    ('leave_out', '''{logs}''', 'leave_out_form'),
    ('leave_out', 'array[''public.a'', null]', 'leave_out_form');

select is(
    tests.error_of(format('select backup.configure(%s => %s)', r.setting, r.value)),
    format('22023: Cannot change the settings: they violate the rule "%s" (%s)', r.rule, obj_description(c.oid, 'pg_constraint')),
    format('%s => %s is refused with its hint', r.setting, r.value)
)
from refused r
join pg_constraint c on c.conrelid = 'backup.settings'::regclass and c.conname = r.rule;

select set_eq(
    $$ select conname::text from pg_constraint where conrelid = 'backup.settings'::regclass and contype = 'c' $$,
    $$ select rule from refused union values ('one_row'), ('budget_halvings_range') $$,
    'no rule is without a case'
);
select is_empty(
    $$
        select conname from pg_constraint
        where conrelid = 'backup.settings'::regclass and contype = 'c' and obj_description(oid, 'pg_constraint') is null
    $$,
    'every rule has its hint'
);
select throws_ok('insert into backup.settings (id) values (false)', '23514', null, 'there is no second row');
select throws_ok('update backup.settings set budget_halvings = 7', '23514', null, 'budgets are halved six times at most');

-- What configure() changes and what it leaves.
select is(
    backup.configure(workers => 3, function_url => 'https://abc.supabase.co/functions/v1/backup', keep_manual => 4),
    e'function_url: not set → https://abc.supabase.co/functions/v1/backup\nworkers: 2 → 3',
    'configure() says what has changed'
);
select is((select level from backup.settings), 4, 'what the call does not name stays');
select backup.configure(level => 6);
select is((select workers from backup.settings), 3, 'a later call leaves what an earlier one set');
select is(backup.configure(), 'Nothing has changed', 'a call without arguments changes nothing');

update backup.settings set budget_halvings = 2;
select is(backup.configure(workers => 2), 'workers: 3 → 2', 'other settings leave the halvings alone');
select matches(backup.configure(invocation_bytes => 200000000), 'budget_halvings: 2 → 0', 'a budget that is set anew is tried as it stands');

update backup.settings set budget_halvings = 1;
select is(
    backup._settings_of_attempt() - '{bucket,part_bytes,storage_quota_bytes,level,workers,lease_seconds,call_ttl_seconds,max_attempts,lock_timeout_ms}'::text[],
    '{
        "slice_bytes": 10000000, "invocation_bytes": 100000000,
        "keep_scheduled": 4, "keep_manual": 4, "keep_weekly": 0, "keep_monthly": 0, "keep_yearly": 0,
        "recipient": null, "leave_out": []
    }'::jsonb,
    'an attempt works with halved budgets'
);
select ok(not backup._settings_of_attempt() ? 'function_url', 'the address of the function is not copied into the log');
update backup.settings set slice_bytes = 65536, budget_halvings = 6;
select is((backup._settings_of_attempt() ->> 'slice_bytes')::bigint, 65536::bigint, 'a halved budget stays a valid one');

-- A database restored without its data has the table and no row.
delete from backup.settings;
select is(backup.configure(workers => 5), 'workers: 2 → 5', 'configure() makes a row that is missing');

select * from finish();
rollback;
