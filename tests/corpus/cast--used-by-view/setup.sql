create type public.genre as enum ('tragedy');
create function public.to_genre(integer, integer, boolean) returns public.genre language sql immutable strict as $$ select 'tragedy'::public.genre $$;
create cast (integer as public.genre) with function public.to_genre(integer, integer, boolean) as implicit;
create table public.t (g public.genre default 1::public.genre);
create view public.v as select 1::public.genre as g;
