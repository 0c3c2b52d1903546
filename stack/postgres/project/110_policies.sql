-- On the platform an extension of its own lets `postgres` make policies on the tables of auth and storage, and drop
-- triggers there, although it does not own them. Here it is a member of their owners while such a statement runs.
create function extensions.lend_ownership()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    -- Not current_user, which is the function's owner. No other role gains by it: the membership is that of `postgres`.
    if session_user = 'postgres' then
        -- Two sessions must not write the same membership; both wait for the other's end of transaction anyhow.
        perform pg_advisory_xact_lock(hashtext('extensions.lend_ownership'));
        grant supabase_auth_admin, supabase_storage_admin to postgres;
    end if;
end;
$$;

revoke all on function extensions.lend_ownership from public;

create function extensions.take_ownership_back()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if session_user = 'postgres' then
        revoke supabase_auth_admin, supabase_storage_admin from postgres;
    end if;
end;
$$;

revoke all on function extensions.take_ownership_back from public;

create event trigger lend_ownership on ddl_command_start
when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER')
execute function extensions.lend_ownership();

create event trigger take_ownership_back on ddl_command_end
when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER')
execute function extensions.take_ownership_back();
