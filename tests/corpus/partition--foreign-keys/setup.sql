create table public.play (id integer primary key);
create table public.show (id integer, play integer references public.play) partition by list (id);
create table public.show_1 partition of public.show for values in (1);
create table public.ticket (id integer primary key, p integer) partition by list (id);
create table public.ticket_1 partition of public.ticket for values in (1);
create table public.stub (ticket integer references public.ticket on delete cascade);
create table public.stub_parts (ticket integer references public.ticket) partition by list (ticket);
create table public.stub_parts_1 partition of public.stub_parts for values in (1);
