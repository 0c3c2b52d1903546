create type public.genre as enum ('tragedy');
create function public.to_genre(integer) returns public.genre language sql immutable strict as $$ select 'tragedy'::public.genre $$;
create cast (integer as public.genre) with function public.to_genre(integer);
create cast (public.genre as text) with inout as implicit;
create cast (text as public.genre) with inout as assignment;
create cast (bigint as timestamptz) without function as assignment;
comment on cast (integer as public.genre) is 'a number''s genre';
