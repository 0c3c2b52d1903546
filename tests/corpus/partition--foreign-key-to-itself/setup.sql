create table public.p (id integer primary key, parent integer references public.p) partition by list (id);
create table public.p1 partition of public.p for values in (1);
create table public.p2 partition of public.p for values in (2);
insert into public.p values (1, null), (2, 1);
create table public.other (a integer references public.p1);
alter table public.p1 add constraint own foreign key (parent) references public.p2 not valid;
