create table public.show (id integer, name text) partition by hash (id);
create table public.show_0 partition of public.show for values with (modulus 2, remainder 0);
create table public.show_1 partition of public.show for values with (modulus 2, remainder 1);
insert into public.show select i, 'x' from generate_series(1, 10) i;
