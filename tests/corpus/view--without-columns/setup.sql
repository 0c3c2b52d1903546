create view public.v as select;
create table public.t ();
create view public.w as select from public.t;
