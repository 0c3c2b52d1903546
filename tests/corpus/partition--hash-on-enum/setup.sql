-- not restored: rows move between partitions, because their hash follows OIDs
create type public.genre as enum ('a', 'b', 'c', 'd');
create table public.show (genre public.genre, id integer) partition by hash (genre);
create table public.show_0 partition of public.show for values with (modulus 2, remainder 0);
create table public.show_1 partition of public.show for values with (modulus 2, remainder 1);
insert into public.show values ('a', 1), ('b', 2), ('c', 3), ('d', 4);
