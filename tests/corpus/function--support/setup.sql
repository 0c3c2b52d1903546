create function public.my_support(internal) returns internal language internal strict immutable as 'generate_series_int4_support';
create function public.series(integer, integer) returns setof integer language internal strict immutable support public.my_support as 'generate_series_int4';
