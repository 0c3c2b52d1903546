-- The last roles, and what each is a member of and set to.
create role supabase_privileged_role nologin;
create role supabase_functions_admin noinherit createrole login;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres;
grant anon, authenticated, service_role to supabase_realtime_admin;
grant authenticator to supabase_storage_admin;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant pg_read_all_data to supabase_read_only_user;
grant supabase_privileged_role to postgres, supabase_etl_admin;

-- Requests are short. The server's statement_timeout counts for every role without a limit of its own.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set session_preload_libraries = supautils, safeupdate;
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role postgres set search_path = "$user", public, extensions;
alter role postgres set session_preload_libraries = supautils, safeupdate;
alter role postgres set "safeupdate.enabled" = '0';
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_realtime_admin set search_path = public, extensions, realtime;

-- As its owner `postgres` also owns the schema public, through pg_database_owner.
alter database postgres owner to postgres;
grant all on database postgres to dashboard_user;
