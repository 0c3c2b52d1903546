-- until version: 15
create table public.seat (number integer not null, place text not null);
create unique index seat_key on public.seat (number) nulls not distinct;
alter table public.seat add constraint seat_key primary key using index seat_key;
create unique index seat_place on public.seat (place) nulls not distinct;
alter table public.seat add constraint seat_place unique using index seat_place;
