-- from version: 17
-- until version: 17
-- pg_dump fails: 17 crashes at a second NOT NULL, which 18 refuses
-- says: CREATE DOMAIN public.seats AS integer CONSTRAINT second NOT NULL
create domain public.seats as integer constraint first not null constraint second not null constraint positive check (value > 0);
comment on constraint second on domain public.seats is 'the one that is kept';
create table public.room (seats public.seats);
insert into public.room values (300);
