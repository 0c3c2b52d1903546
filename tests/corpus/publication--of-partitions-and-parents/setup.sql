-- from version: 15
create table public.p (i integer) partition by list (i);
create table public.p1 partition of public.p for values in (1);
create table public.parent (i integer);
create table public.child () inherits (public.parent);
create publication a for table public.p;
create publication b for table only public.parent;
create publication c for table public.p1, public.parent;
create publication "select" for tables in schema public;
