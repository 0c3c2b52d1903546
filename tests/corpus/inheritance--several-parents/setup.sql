create table public.one (a integer default 1, x text);
create table public.two (a integer default 1, y text not null);
create table public.both () inherits (public.one, public.two);
create table public.local_too (a integer default 9, z text) inherits (public.one);
alter table public.both alter column a set default 5;
