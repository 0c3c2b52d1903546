create table public.t (a integer);
create view public.v as select a from public.t;
create rule again as on insert to public.t do also select * from public.v;
