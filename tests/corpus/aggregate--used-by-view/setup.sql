create aggregate public.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
create table public.t (a integer);
create view public.v as select public.total(a) from public.t;
