create function public.f(integer) returns integer language sql as $$ select 1 $$;
create function public.f(text) returns integer language sql as $$ select 2 $$;
create function public.f() returns integer language sql as $$ select 3 $$;
create function public.f(bigint, text) returns integer language sql as $$ select 4 $$;
create function public.f(integer, text) returns integer language sql as $$ select 5 $$;
create schema other;
create function other.f(integer) returns integer language sql as $$ select 6 $$;
comment on function public.f(text) is 'of text';
grant execute on function public.f(bigint, text) to actor;
