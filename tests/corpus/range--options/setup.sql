create function public.time_difference(time, time) returns double precision language sql immutable strict
    as $$ select extract(epoch from $1 - $2)::double precision $$;
create type public.time_range as range (
    subtype = time,
    subtype_diff = public.time_difference,
    multirange_type_name = public."Many Times"
);
create type public.text_range as range (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
