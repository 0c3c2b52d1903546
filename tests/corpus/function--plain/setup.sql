create function public.add(a integer, b integer default 1 + 1) returns integer language sql as $$ select a + b $$;
create function public.nothing() returns void language plpgsql as $$ begin end $$;
create function public.record_of() returns record language sql as $$ select 1, 2 $$;
