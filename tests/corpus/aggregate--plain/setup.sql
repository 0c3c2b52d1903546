create aggregate public.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
create function public.collect(text, text, integer) returns text language sql as $$ select $1 $$;
create aggregate public.of_two(text, integer) (sfunc = public.collect, stype = text, initcond = 'it''s');
create aggregate public.no_start(integer) (sfunc = int4larger, stype = integer);
