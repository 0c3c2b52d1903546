create table public.t (a integer, b text);
create type public.c as (t public.t, ts public.t[]); create domain public.d as public.c check ((value).t is not null); create domain public.da as integer[] check (array_length(value, 1) = 2);
create type public.r as range (subtype = public.da); create type public.e as enum ('x'); create type public.re as range (subtype = public.e);
create table public.u (c public.c, d public.d[], r public.re, m public.re_multirange, da public.da);
create table public.v (u public.u, us public.u[]); insert into public.v values (null, '{}');
create function public.f(public.re, variadic public.e[]) returns public.c language sql as $$ select null::public.c $$;
