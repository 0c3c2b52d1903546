create function public.x(integer, integer) returns integer language sql immutable as $$ select $1 + $2 $$;
create aggregate public.x(integer) (sfunc = public.x, stype = integer);
create aggregate public.x(bigint) (sfunc = int8larger, stype = bigint);

create procedure public.x(text) language sql as $$ select 1 $$;
create aggregate public.x(numeric) (sfunc = numeric_add, stype = numeric);
