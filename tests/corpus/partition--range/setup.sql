create table public.show (id integer, at date not null) partition by range (at);
create table public.show_2023 partition of public.show for values from ('2023-01-01') to ('2024-01-01');
create table public.show_2024 partition of public.show for values from ('2024-01-01') to (maxvalue);
create table public.show_past partition of public.show for values from (minvalue) to ('2023-01-01');
create table public.show_null partition of public.show default;
insert into public.show values (1, '2023-05-05'), (2, '2024-05-05'), (3, '1999-01-01');
