create schema ops;
create operator ops.=== (leftarg = integer, rightarg = integer, function = int4eq);
create table public.t (a integer check (a operator(ops.===) 1), b boolean default (1 operator(ops.===) 1));
create view public.v as select a operator(ops.===) 2 as x from public.t;
create index on public.t ((a operator(ops.===) 3));
