create table public.t (a integer, b integer);
create function public.next_one() returns integer language sql begin atomic select max(a) + 1 from public.t; end;
alter table public.t alter column a set default public.next_one();
create function public.is_free(integer) returns boolean language sql immutable begin atomic select not exists (select from public.t where b = $1); end;
alter table public.t add constraint free check (public.is_free(b));
comment on constraint free on public.t is 'needs the table twice';
