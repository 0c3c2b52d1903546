-- not restored: settings of the database are not restored with it, and change how definitions are printed
do $$ begin execute format('alter database %I set quote_all_identifiers = on', current_database()); end $$;
create table public.t (a integer primary key, b text default 'x'); create view public.v as select a from public.t; create index on public.t (b); create function public.f(public.t) returns integer language sql as $$ select 1 $$;
create type public.e as enum ('a'); create sequence public.s; create policy p on public.t using (a > 0); grant select on public.t to actor;
