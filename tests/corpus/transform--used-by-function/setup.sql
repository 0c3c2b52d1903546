create type public.genre as enum ('tragedy');
create function public.genre_to(internal) returns public.genre language internal immutable as 'int4recv';
create function public.genre_from(internal) returns internal language internal immutable as 'int4recv';
create transform for public.genre language plpgsql (from sql with function public.genre_from(internal), to sql with function public.genre_to(internal));
create transform for integer language plpgsql (to sql with function pg_catalog.int4recv(internal));
comment on transform for public.genre language plpgsql is 'transforms';
create function public.f(public.genre, integer) returns integer transform for type public.genre, for type integer language plpgsql as $$ begin return 1; end $$;
