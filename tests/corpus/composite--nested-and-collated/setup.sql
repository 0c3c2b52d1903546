create type public.inner_one as (a text collate "C", b numeric(5, 1)[]);
create type public.outer_one as (i public.inner_one, j public.inner_one[]);
comment on type public.outer_one is 'outer';
comment on column public.outer_one.i is 'the inner one';
comment on column public.inner_one.a is 'C''s';
