create function public.lt(integer, money) returns boolean language sql immutable as $$ select true $$;
create operator public.< (leftarg = integer, rightarg = money, function = public.lt);
alter operator family pg_catalog.integer_ops using btree add operator 1 public.< (integer, money);
