-- Database webhooks, which a project has once its owner has switched them on.
grant supabase_functions_admin to postgres;
alter role supabase_functions_admin set search_path = supabase_functions;

create schema supabase_functions;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;
grant all on schema supabase_functions to supabase_functions_admin;
alter default privileges for role supabase_admin in schema supabase_functions
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema supabase_functions
    grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema supabase_functions
    grant all on sequences to postgres, anon, authenticated, service_role;

create table supabase_functions.migrations (version text primary key, inserted_at timestamptz not null default now());
create table supabase_functions.hooks (
    id bigserial primary key,
    hook_table_id integer not null,
    hook_name text not null,
    created_at timestamptz not null default now(),
    request_id bigint
);
alter table supabase_functions.migrations owner to supabase_functions_admin;
alter table supabase_functions.hooks owner to supabase_functions_admin;

revoke all on function net.http_get, net.http_post from public;
grant execute on function net.http_get, net.http_post
    to supabase_functions_admin, postgres, anon, authenticated, service_role;
