create table public.t (a integer primary key using index tablespace archive_room) tablespace archive_room;
create table public.u (a integer);
create index on public.u (a) tablespace archive_room;
create materialized view public.mv tablespace archive_room as select 1 as one;
create table public.p (a integer) partition by list (a) tablespace archive_room;
create table public.p1 partition of public.p for values in (1);
create table public.p2 partition of public.p for values in (2) tablespace pg_default;
