create access method my_heap type table handler heap_tableam_handler;
create access method "My ""x""" type index handler bthandler;
comment on access method my_heap is 'like heap';
create table public.t (a integer) using my_heap;
create materialized view public.mv using my_heap as select 1 as a;
insert into public.t values (1);
create table public.normal (a integer);
create table public.partitioned (a integer) partition by list (a);
create table public.partition_of_it partition of public.partitioned for values in (1) using my_heap;
