create type public.twin as (a integer, b integer);
create function public.twin_cmp(public.twin, public.twin) returns integer language sql immutable as $$ select 0 $$;
create function public.twin_lt(public.twin, public.twin) returns boolean language sql immutable as $$ select false $$;
create function public.twin_eq(public.twin, public.twin) returns boolean language sql immutable as $$ select true $$;
create operator public.<# (leftarg = public.twin, rightarg = public.twin, function = public.twin_lt);
create operator public.=# (leftarg = public.twin, rightarg = public.twin, function = public.twin_eq);
create operator class public.twin_ops default for type public.twin using btree as
    operator 1 public.<#, operator 3 public.=#, function 1 public.twin_cmp(public.twin, public.twin);
