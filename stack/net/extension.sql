-- The server has pg_net itself.
create extension pg_net with schema extensions;
grant usage on schema net to postgres, anon, authenticated, service_role;
