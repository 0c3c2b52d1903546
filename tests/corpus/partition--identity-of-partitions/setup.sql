-- from version: 17
create table public.p (id integer generated always as identity, a integer) partition by list (a);
create table public.p1 partition of public.p for values in (1);
insert into public.p1 (a) values (1);
insert into public.p (a) values (1), (1);
