create view public.a as select 1 as x, 'y'::text collate "C" as y;
create view public.b as select x, y from public.a;
create or replace view public.a with (security_barrier) as select x, y from public.b where false;
