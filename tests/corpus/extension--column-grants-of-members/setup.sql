create extension pg_buffercache; create extension pg_stat_statements;
grant select (query) on public.pg_stat_statements to actor; revoke execute on function public.pg_buffercache_pages() from pg_monitor;
grant usage on type public.pg_stat_statements to director; grant select on public.pg_buffercache to actor with grant option;
