create type public.zebra as enum ('a', 'b');
create function public.a_first(public.zebra default 'b') returns public.zebra language sql immutable as $$ select $1 $$;
create table public.a (x public.zebra default 'a' check (x <> 'b'), y public.zebra generated always as (public.a_first('a')) stored) partition by list (x);
create table public.a_a partition of public.a for values in ('a');
create index on public.a (x) where x = 'a';
