create function public.my_abs(integer) returns integer language internal as 'int4abs';
create function public.my_tri(text) returns text[] language c strict as '$libdir/pg_trgm', 'show_trgm';
