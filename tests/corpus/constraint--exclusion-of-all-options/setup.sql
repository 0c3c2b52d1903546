create extension btree_gist;
create schema ops;
create table public.t (a integer, b tstzrange, c text, exclude using gist (a with =, b with &&) include (c) with (fillfactor = 70) using index tablespace archive_room where (c is not null) deferrable);
create table public.u (a point, exclude using spgist (a with ~=));
