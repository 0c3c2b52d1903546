create operator public.=== (leftarg = integer, rightarg = integer, function = int4eq);
create operator public.!! (rightarg = integer, function = int4abs);
create function public.my_eq(text, text) returns boolean language sql immutable as $$ select $1 = $2 $$;
create operator public.=~= (leftarg = text, rightarg = text, function = public.my_eq);
comment on operator public.=== (integer, integer) is 'equal';
comment on operator public.!! (none, integer) is 'prefix';
alter operator public.=== (integer, integer) owner to director;
