create aggregate public.my_sum(bigint) (
    sfunc = int8_avg_accum, stype = internal, sspace = 48, finalfunc = numeric_poly_sum, finalfunc_modify = read_write,
    combinefunc = int8_avg_combine, serialfunc = int8_avg_serialize, deserialfunc = int8_avg_deserialize, parallel = restricted
);
