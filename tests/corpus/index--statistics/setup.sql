create table public.t (a integer, b integer);
create index t_i on public.t ((a + b), a, (a * b));
alter index public.t_i alter column 1 set statistics 400;
alter index public.t_i alter column 3 set statistics 0;
