create view public.v as select 1 as a;
create function public.f() returns setof public.v language sql as $$ select 1 $$;
create or replace view public.v as select a from public.f();
