create function public.average(bigint[], integer) returns numeric language sql immutable as $$ select $1[1] / nullif($1[2], 0) $$;
create aggregate public.my_avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], sspace = 64, finalfunc = public.average, finalfunc_extra,
    combinefunc = int4_avg_combine, initcond = '{0,0}',
    msfunc = int4_avg_accum, minvfunc = int4_avg_accum_inv, mstype = bigint[], msspace = 32, mfinalfunc = int8_avg,
    mfinalfunc_modify = shareable, minitcond = '{0,0}', parallel = safe
);
