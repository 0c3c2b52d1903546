create sequence public.s;
create type public.genre as enum ('a', 'b');
create table public.t (a integer);
create function public.f(a integer default nextval('public.s'), b public.genre default 'b', c public.t default null, d text[] default array['x', 'it''s']) returns integer language sql as $$ select 1 $$;
create function public.g(x integer default public.f()) returns integer language sql as $$ select 1 $$;
