create table public.a (i integer primary key);
create table public.b (i integer);
create table public.c (i integer not null unique);
create table public.d (i integer not null);
create unique index d_i on public.d (i);
alter table public.a replica identity nothing;
alter table public.b replica identity full;
alter table public.c replica identity using index c_i_key;
alter table public.d replica identity using index d_i;
