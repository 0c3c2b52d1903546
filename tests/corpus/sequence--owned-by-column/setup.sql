create table public.t (a integer, b integer);
create sequence public.s owned by public.t.a;
create sequence public.unrelated owned by public.t.b;
alter table public.t alter column a set default nextval('public.s');
create table public.u (a integer default nextval('public.s'), b text default currval('public.s')::text);
