create function public.next_number() returns integer language sql as $$ select 7 $$;
create function public.twice(integer) returns integer language sql immutable as $$ select $1 * 2 $$;
create table public.t (a integer default public.next_number(), b integer generated always as (public.twice(1)) stored, check (public.twice(a) > 0));
create index on public.t (public.twice(a));
insert into public.t default values;
