-- Default privileges give members grants that are dumped. What needs a function (its type, a cast) draws it forward.
create schema extensions;
alter default privileges revoke execute on functions from public;
alter default privileges revoke usage on types from public;
alter default privileges in schema extensions grant all on functions to actor with grant option;
create extension ltree schema extensions;
create extension hstore schema public;
create extension citext schema extensions;
create extension pg_stat_statements schema extensions;

-- A member's function in a user's cast.
create function public.labels(extensions.ltree) returns public.hstore language sql as 'select null::public.hstore';
create cast (extensions.ltree as public.hstore) with function public.labels(extensions.ltree);
grant execute on function extensions.lquery_in(cstring) to director;
