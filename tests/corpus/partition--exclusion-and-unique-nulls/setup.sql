-- from version: 15
create table public.p (a integer, b text, unique nulls not distinct (a, b)) partition by list (a);
create table public.p1 partition of public.p for values in (1);
alter table public.p add constraint c check (a > 0) not valid;
alter table public.p1 add constraint own unique (b) include (a);
create unique index u on public.p (a, b) include (b) where b <> '';
