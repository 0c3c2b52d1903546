create extension pg_stat_statements;
revoke select on public.pg_stat_statements from public;
grant select on public.pg_stat_statements to actor;
grant execute on function public.pg_stat_statements_reset to director;
