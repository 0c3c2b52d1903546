create domain public.base as integer check (value > 0);
create domain public.over as public.base check (value < 100);
create domain public.of_array as public.over[];
create table public.t (a public.over, b public.of_array);
insert into public.t values (5, '{1,2}');
