create table public.a (i integer);
create table public.b (i integer);
create function public.is_good(integer) returns boolean language sql as $$ select true $$;
create view public.v as select i from public.b;
alter table public.a enable row level security;
create policy p on public.a using (i in (select i from public.v)) with check (public.is_good(i));
alter table public.a owner to director;
