create table public.nothing ();
insert into public.nothing default values;
insert into public.nothing default values;
create table public.all_dropped (a integer);
insert into public.all_dropped values (1);
alter table public.all_dropped drop column a;
