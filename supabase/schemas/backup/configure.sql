create or replace function backup.configure(
    function_url text default null,
    bucket text default null,
    slice_bytes bigint default null,
    invocation_bytes bigint default null,
    part_bytes integer default null,
    storage_quota_bytes bigint default null,
    level integer default null,
    workers integer default null,
    lease_seconds integer default null,
    call_ttl_seconds integer default null,
    max_attempts integer default null,
    lock_timeout_ms integer default null,
    keep_scheduled integer default null,
    keep_manual integer default null,
    keep_weekly integer default null,
    keep_monthly integer default null,
    keep_yearly integer default null,
    recipient text default null,
    alert_reminder_days integer default null,
    second_copy text default null,
    leave_out text[] default null
)
returns text
language plpgsql
-- service_role may change settings here, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    before jsonb;
    changed backup.settings;
    rule text;
begin
    -- A database that was restored without its data has the table but no row.
    insert into backup.settings default values on conflict (id) do nothing;
    select to_jsonb(s) into strict before from backup.settings s for update;
    update backup.settings s set
        function_url = coalesce(configure.function_url, s.function_url),
        bucket = coalesce(configure.bucket, s.bucket),
        slice_bytes = coalesce(configure.slice_bytes, s.slice_bytes),
        invocation_bytes = coalesce(configure.invocation_bytes, s.invocation_bytes),
        part_bytes = coalesce(configure.part_bytes, s.part_bytes),
        storage_quota_bytes = coalesce(configure.storage_quota_bytes, s.storage_quota_bytes),
        level = coalesce(configure.level, s.level),
        workers = coalesce(configure.workers, s.workers),
        lease_seconds = coalesce(configure.lease_seconds, s.lease_seconds),
        call_ttl_seconds = coalesce(configure.call_ttl_seconds, s.call_ttl_seconds),
        max_attempts = coalesce(configure.max_attempts, s.max_attempts),
        lock_timeout_ms = coalesce(configure.lock_timeout_ms, s.lock_timeout_ms),
        keep_scheduled = coalesce(configure.keep_scheduled, s.keep_scheduled),
        keep_manual = coalesce(configure.keep_manual, s.keep_manual),
        keep_weekly = coalesce(configure.keep_weekly, s.keep_weekly),
        keep_monthly = coalesce(configure.keep_monthly, s.keep_monthly),
        keep_yearly = coalesce(configure.keep_yearly, s.keep_yearly),
        -- A call that does not name it must not turn encryption off.
        recipient = nullif(coalesce(configure.recipient, s.recipient), ''),
        alert_reminder_days = coalesce(configure.alert_reminder_days, s.alert_reminder_days),
        second_copy = coalesce(configure.second_copy, s.second_copy),
        leave_out = coalesce(configure.leave_out, s.leave_out),
        -- A new budget is tried as it is.
        budget_halvings = case
            when configure.slice_bytes is null and configure.invocation_bytes is null then s.budget_halvings
            else 0
        end
    returning s.* into strict changed;
    return (
        select coalesce(
            string_agg(format('%s: %s → %s', n.key, coalesce(before ->> n.key, 'not set'), coalesce(n.value, 'not set')), chr(10) order by n.key),
            'Nothing has changed'
        )
        from jsonb_each_text(to_jsonb(changed)) n
        where n.value is distinct from before ->> n.key
    );
exception
    when check_violation then
        get stacked diagnostics rule = constraint_name;
        raise exception 'Cannot change the settings: they violate the rule "%"', rule
            using errcode = 'invalid_parameter_value',
                hint = (
                    select pg_catalog.obj_description(c.oid, 'pg_constraint')
                    from pg_catalog.pg_constraint c
                    where c.conname = rule and c.conrelid = 'backup.settings'::regclass
                );
end;
$$;

comment on function backup.configure is
    'Changes the settings named in the call and returns what has changed, one line a setting. A run under way '
    'keeps the settings it began with. Example: select backup.configure(function_url => '
    '''https://abc.supabase.co/functions/v1/backup'', workers => 3)';

create or replace function backup._settings_of_attempt()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(s) - '{id,function_url,alert_reminder_days,second_copy,budget_halvings}'::text[] || jsonb_build_object(
        'slice_bytes', greatest(65536, s.slice_bytes >> s.budget_halvings),
        'invocation_bytes', greatest(65536, s.invocation_bytes >> s.budget_halvings)
    )
    from backup.settings s;
$$;

comment on function backup._settings_of_attempt is
    'Returns the settings that the next attempt works with: the budgets are halved once for each time that '
    'workers died.';
