create table public.show (id serial, a integer) partition by list (a);
create table public.show_1 partition of public.show for values in (1);
insert into public.show (a) values (1), (1);
