create table public.p (a integer, b integer default 5);
create table public.c (x integer) inherits (public.p);
alter table public.c no inherit public.p;
create table public.d (a integer, b integer) ;
alter table public.d inherit public.p;
create table public.part (a integer) partition by list (a);
create table public.part1 partition of public.part for values in (1);
alter table public.part detach partition public.part1;
