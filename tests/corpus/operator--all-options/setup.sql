create function public.lt(integer, integer) returns boolean language internal immutable as 'int4lt';
create function public.gt(integer, integer) returns boolean language internal immutable as 'int4gt';
create function public.ge(integer, integer) returns boolean language internal immutable as 'int4ge';
create function public.eq(integer, integer) returns boolean language internal immutable as 'int4eq';
create operator public.<# (leftarg = integer, rightarg = integer, function = public.lt, commutator = operator(public.>#), negator = operator(public.>=#), restrict = scalarltsel, join = scalarltjoinsel);
create operator public.># (leftarg = integer, rightarg = integer, function = public.gt, commutator = operator(public.<#), restrict = scalargtsel, join = scalargtjoinsel);
create operator public.>=# (leftarg = integer, rightarg = integer, function = public.ge, negator = operator(public.<#));
create operator public.=# (leftarg = integer, rightarg = integer, function = public.eq, commutator = operator(public.=#), restrict = eqsel, join = eqjoinsel, hashes, merges);
