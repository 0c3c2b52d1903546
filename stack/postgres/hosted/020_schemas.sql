-- The schemas of the platform with owners and grants, and the privileges that new objects in them have by default.
grant usage on schema public to postgres, anon, authenticated, service_role;
grant all on schema public to supabase_realtime_admin;

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;
grant usage on schema extensions to supabase_realtime_admin;

create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;

create schema pgbouncer;

create schema realtime;
grant usage on schema realtime to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin with grant option;

create schema vault;

create schema auth;
grant usage on schema auth to anon, authenticated, service_role;
grant all on schema auth to supabase_auth_admin, dashboard_user;
grant usage on schema auth to supabase_realtime_admin, postgres;

create schema storage;
grant usage on schema storage to postgres with grant option;
grant usage on schema storage to anon, authenticated, service_role;
grant all on schema storage to supabase_storage_admin with grant option;
grant all on schema storage to dashboard_user;

-- Owner, schema, and the roles that get all; with grant option where postgres hands on what others install.
do $$
declare
    given record;
    kind text;
begin
    for given in
        values
            ('postgres', 'public', 'postgres, anon, authenticated, service_role', ''),
            ('supabase_admin', 'public', 'postgres, anon, authenticated, service_role', ''),
            ('supabase_admin', 'graphql_public', 'postgres, anon, authenticated, service_role', ''),
            ('supabase_storage_admin', 'storage', 'postgres, anon, authenticated, service_role', ''),
            ('supabase_auth_admin', 'auth', 'postgres, dashboard_user', ''),
            ('supabase_admin', 'realtime', 'postgres, dashboard_user', ''),
            ('supabase_admin', 'extensions', 'postgres', 'with grant option')
    loop
        foreach kind in array array['tables', 'functions', 'sequences'] loop
            execute format(
                'alter default privileges for role %I in schema %I grant all on %s to %s %s',
                given.column1, given.column2, kind, given.column3, given.column4
            );
        end loop;
    end loop;
end;
$$;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
