create aggregate public.my_count(*) (sfunc = int8inc, stype = bigint, initcond = '0');
create aggregate public.my_least(integer) (sfunc = int4smaller, stype = integer, sortop = operator(pg_catalog.<));
create function public.join_all(text, variadic text[]) returns text language sql as $$ select $1 $$;
create aggregate public.joined(variadic items text[]) (sfunc = public.join_all, stype = text);
create aggregate public.named(a integer) (sfunc = int4larger, stype = integer);
