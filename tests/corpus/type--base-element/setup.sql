create type public.pair;
create function public.pair_in(cstring) returns public.pair language internal immutable strict as 'point_in';
create function public.pair_out(public.pair) returns cstring language internal immutable strict as 'point_out';
create type public.pair (input = public.pair_in, output = public.pair_out, internallength = 16, alignment = double, element = double precision);
