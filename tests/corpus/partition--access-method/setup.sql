-- from version: 17
-- says: ALTER TABLE public.p SET ACCESS METHOD other_heap;
create access method other_heap type table handler heap_tableam_handler;
create table public.p (a integer) partition by list (a) using other_heap;
create table public.p1 partition of public.p for values in (1);
create table public.p2 partition of public.p for values in (2) using heap;
