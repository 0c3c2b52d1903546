-- from version: 18
-- says:     ADD CONSTRAINT room_pkey PRIMARY KEY (id, during WITHOUT OVERLAPS);
-- says:     ADD CONSTRAINT f FOREIGN KEY (room, PERIOD during) REFERENCES public.room(id, PERIOD during);
create extension btree_gist;
create table public.room (id integer, during tsrange, primary key (id, during without overlaps));
create table public.booking (room integer, during tsrange, constraint f foreign key (room, period during) references public.room (id, period during));
