create type public.z as enum ('a'); create type public.a as enum ('b'); create domain public.d as integer;
create function public.z_to_a(public.z) returns public.a language sql immutable as $$ select 'b'::public.a $$;
create function public.a_to_z(public.a) returns public.z language sql immutable as $$ select 'a'::public.z $$;
create cast (public.z as public.a) with function public.z_to_a(public.z) as assignment; create cast (public.a as public.z) with function public.a_to_z(public.a);
create cast (public.z[] as text) with inout; create cast (integer as public.z) with inout; create cast (json as integer[]) with inout as implicit;
create table public.t (x public.a default 'a'::public.z::public.a, check (x <> 'a'::public.z::public.a));
