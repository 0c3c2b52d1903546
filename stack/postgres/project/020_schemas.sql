-- The schemas that every project has, and the extensions that are there from its first day.
create schema extensions;
grant usage on schema extensions to postgres, anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;

create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;

-- GraphQL and Realtime are no part of the stack; their schemas are, because projects name them.
create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
create schema realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
