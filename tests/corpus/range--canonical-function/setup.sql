create type public.step;
create function public.step_canonical(public.step) returns public.step language internal immutable strict as 'int4range_canonical';
create type public.step as range (subtype = integer, canonical = public.step_canonical);
