create table public.t (a integer, b integer);
create function public.is_good(public.t) returns boolean language sql immutable as $$ select true $$;
alter table public.t add constraint good check (public.is_good(t));
insert into public.t values (1, 2);
comment on constraint good on public.t is 'in a circle';
