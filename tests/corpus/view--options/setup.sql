-- from version: 15
create table public.play (id integer, title text);
create view public.barrier with (security_barrier) as select * from public.play;
create view public.invoker with (security_invoker = true, security_barrier = false) as select * from public.play;
create view public.local_check as select * from public.play where id > 0 with local check option;
create view public.cascaded_check with (security_barrier = true) as select * from public.local_check where id < 100 with cascaded check option;
