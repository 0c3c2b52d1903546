create materialized view public.a with (fillfactor = 50, autovacuum_enabled = false) as select 1 as x, 'a'::text as y;
alter materialized view public.a alter column y set storage external, alter column x set statistics 5;
create index a_x on public.a (x);
alter materialized view public.a cluster on a_x;
