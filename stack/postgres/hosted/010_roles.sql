-- The roles of a hosted project, in the order in which the platform made them. supabase_admin is there already: initdb
-- made it. `postgres` is a superuser while the platform's part is made, and not one afterwards (190_end.sql).
create role postgres superuser createdb createrole replication bypassrls login;
create role pgbouncer login;
create role supabase_replication_admin login replication;
create role supabase_etl_admin login replication;
create role supabase_read_only_user login bypassrls;
create role anon nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;
create role authenticator noinherit login;
create role supabase_auth_admin noinherit login;
create role supabase_storage_admin noinherit createrole login;
create role dashboard_user createdb createrole replication nologin;
create role supabase_realtime_admin noinherit createrole login replication;
