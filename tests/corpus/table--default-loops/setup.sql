create table public.t (a integer);
create function public.count_of(public.t) returns integer language sql as $$ select 1 $$;
create table public.u (a integer default public.count_of(null::public.t), b text default (null::public.t)::text);
create function public.again() returns public.t language sql as $$ select null::public.t $$;
create table public.w (a integer);
create function public.of_w(public.w) returns integer language sql as $$ select 1 $$;
alter table public.w alter column a set default public.of_w(null);
insert into public.w values (1);
