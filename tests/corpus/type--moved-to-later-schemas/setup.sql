create schema z; create type z.e as enum ('a'); create domain z.d as z.e; create function z.f(z.d) returns z.d language sql immutable as $$ select $1 $$;
create table public.a (x z.d default z.f('a'::z.e)); create schema a; create view a.v as select z.f(x) as y from public.a; create type a.c as (x z.d);
create table z.b (c a.c);
