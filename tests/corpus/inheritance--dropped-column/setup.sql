create table public.parent (a integer, gone integer, b integer);
create table public.child (c integer) inherits (public.parent);
alter table public.parent drop column gone;
alter table public.child add column d integer;
insert into public.child values (1, 2, 3, 4);
