create table public.parent (a integer, b integer generated always as (a * 2) stored);
create table public.child () inherits (public.parent);
create table public.joined (a integer, b integer generated always as (a * 2) stored);
alter table public.joined inherit public.parent;
insert into public.child (a) values (1);
insert into public.joined (a) values (1);
