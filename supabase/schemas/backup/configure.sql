-- Changes the settings named in the call and leaves the others as they are; answers the settings as they are
-- now. Example: select backup.configure(function_url => 'https://abc.supabase.co/functions/v1/backup', workers => 3);
-- A run under way keeps the settings it began with.
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
    second_copy text default null
)
returns backup.settings
language plpgsql
-- service_role may change settings here, under the checks, but not write the table.
security definer
set search_path = ''
as $$
declare
    changed backup.settings;
    rule text;
begin
    -- A database that was restored without its data has the table, and no row.
    insert into backup.settings default values on conflict (id) do nothing;
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
        -- Null leaves it, like any other: a call that does not name it must not turn encryption off.
        recipient = nullif(coalesce(configure.recipient, s.recipient), ''),
        alert_reminder_days = coalesce(configure.alert_reminder_days, s.alert_reminder_days),
        second_copy = coalesce(configure.second_copy, s.second_copy),
        -- Who sets a budget anew wants it tried as it stands.
        budget_halvings = case
            when configure.slice_bytes is null and configure.invocation_bytes is null then s.budget_halvings
            else 0
        end
    returning s.* into strict changed;
    return changed;
exception
    when check_violation then
        get stacked diagnostics rule = constraint_name;
        raise exception 'settings refused: they break the rule %', rule
            using errcode = 'invalid_parameter_value',
                hint = (
                    select pg_catalog.obj_description(c.oid, 'pg_constraint')
                    from pg_catalog.pg_constraint c
                    where c.conname = rule and c.conrelid = 'backup.settings'::regclass
                );
end;
$$;

revoke all on function backup.configure from public;
grant execute on function backup.configure to service_role;
comment on function backup.configure is 'Changes the settings named in the call; answers all of them.';

-- The settings that an attempt works with: as configured, the budgets halved as often as deaths have asked for.
create or replace function backup._settings_of_attempt()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select to_jsonb(s) - '{id,function_url,alert_reminder_days,second_copy,budget_halvings}'::text[] || jsonb_build_object(
        'slice_bytes', greatest(65536, s.slice_bytes >> s.budget_halvings),
        'invocation_bytes', greatest(65536, s.invocation_bytes >> s.budget_halvings)
    )
    from backup.settings s;
$$;

revoke all on function backup._settings_of_attempt from public;
comment on function backup._settings_of_attempt is 'The settings that the next attempt works with.';
