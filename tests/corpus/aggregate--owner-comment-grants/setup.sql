create function public.plus(integer, integer) returns integer language sql immutable as $$ select $1 + $2 $$;
create aggregate public."Total ""x"""(integer) (sfunc = public.plus, stype = integer);
alter aggregate public."Total ""x"""(integer) owner to director;
comment on aggregate public."Total ""x"""(integer) is 'adds up';
revoke execute on function public."Total ""x"""(integer) from public;
grant execute on function public."Total ""x"""(integer) to actor;
create aggregate public.star(*) (sfunc = int8inc, stype = bigint, initcond = '0');
comment on aggregate public.star(*) is 'counts';
grant execute on function public.star() to actor;
