-- from version: 15
create table public.a (i integer primary key, j integer unique, k text, l text, unique (k, l));
create table public.b (i integer, j integer, constraint "Key ""x""" primary key (i, j) include (i) with (fillfactor = 70));
create table public.c (i integer unique deferrable initially deferred, j integer, unique (j) deferrable);
create table public.d (i integer unique nulls not distinct);
comment on constraint a_pkey on public.a is 'key';
comment on constraint "Key ""x""" on public.b is 'hurts';
