-- not restored: rows move between partitions, because their hash follows OIDs
create type public.genre as enum ('a', 'b', 'c', 'd');
create table public.show (genre public.genre, id integer) partition by list (id);
create table public.show_1 partition of public.show for values in (1) partition by hash (genre);
create table public.show_1_0 partition of public.show_1 for values with (modulus 2, remainder 0);
create table public.show_1_1 partition of public.show_1 for values with (modulus 2, remainder 1);
insert into public.show values ('a', 1), ('b', 1), ('c', 1), ('d', 1);
