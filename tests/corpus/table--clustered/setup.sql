create table public.a (i integer primary key);
create table public.b (i integer, j integer);
create index b_j on public.b (j);
alter table public.a cluster on a_pkey;
alter table public.b cluster on b_j;
