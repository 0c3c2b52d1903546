create domain public.seats as integer;
create table public.hall (seats public.seats);
insert into public.hall values (-1);
alter domain public.seats add constraint positive check (value > 0) not valid;
comment on constraint positive on domain public.seats is 'from now on';
