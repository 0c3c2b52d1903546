-- from version: 15
create table public.u (a integer);
create view public.v as select a from public.u;
alter view public.v set (security_invoker = on);
alter view public.v set (check_option = local);
alter view public.v reset (check_option);
create table public.t (a integer);
create view public.w with (check_option = cascaded, security_barrier = off) as select a from public.t;
