create table public.play (id integer, title text);
create function public.shout(public.play) returns text language sql as $$ select upper($1.title) $$;
create function public.all_plays() returns setof public.play language sql as $$ select * from public.play $$;
create type public.pair as (a integer, b integer);
create function public.make_pair() returns public.pair language sql as $$ select 1, 2 $$;
create function public.of_type(a public.play.title%type) returns integer language sql as $$ select 1 $$;
