create temporary table t (a integer);
create table public.kept (a integer);
create view public.v as select 1 as a;
