create table public.p (id serial, a integer);
create table public.c () inherits (public.p);
create table public.d (id bigint generated always as identity);
insert into public.c (a) values (1), (2);
