create table public.t (a integer, gone text, b integer default 5, gone2 integer);
insert into public.t values (1, 'x', 2, 3);
alter table public.t drop column gone, drop column gone2, add column c text default 'added';
insert into public.t values (2);
create view public.v as select * from public.t;
alter table public.t add primary key (b);
comment on column public.t.c is 'fifth by number';
