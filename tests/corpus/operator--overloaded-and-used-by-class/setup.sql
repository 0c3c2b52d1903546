create schema o;
create function o.lt(text, integer) returns boolean language sql immutable return true;
create function o.lt(integer, text) returns boolean language sql immutable return true;
create function o.neg(integer) returns integer language sql immutable return -$1;
create operator o.<~ (leftarg = text, rightarg = integer, function = o.lt); create operator o.<~ (leftarg = integer, rightarg = text, function = o.lt);
create operator o.<~ (rightarg = integer, function = o.neg); create operator o.<~ (rightarg = bigint, function = int8abs);
create operator public.<~ (leftarg = anyarray, rightarg = anyarray, function = array_lt, restrict = scalarltsel);
create view public.v as select 'a' operator(o.<~) 1 as a, operator(o.<~) 5 as b, 1 = any (array[1]) as c;
