-- from version: 18
create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.t (a integer, b integer generated always as (a * 2) virtual);
create trigger touch after update of a on public.t for each row when (new.b > 5) execute function public.touched();
create table public.part (a integer not null, constraint c check (a > 0) not enforced) partition by list (a);
create table public.part1 partition of public.part for values in (1);
