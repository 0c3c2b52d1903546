create type public.person as (name text, age integer);
create table public.a of public.person;
create table public.b of public.person (name with options not null default 'x', primary key (name), check (age > 0));
insert into public.a values ('Ann', 5);
insert into public.b values ('Bob', 5);
comment on column public.a.name is 'typed';
