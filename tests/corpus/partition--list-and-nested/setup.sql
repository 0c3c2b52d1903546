create table public.show (genre text, id integer) partition by list (genre);
create table public.show_comedy partition of public.show for values in ('comedy', 'it''s', null);
create table public.show_drama partition of public.show for values in ('drama') partition by range (id);
create table public.show_drama_1 partition of public.show_drama for values from (1) to (10);
insert into public.show values ('comedy', 1), (null, 2), ('drama', 3);
