create table public.play (id integer not null, title character varying(80) default 'untitled' not null, price numeric(10,2), at timestamp(3) with time zone default now());
insert into public.play values (1, 'Faust', 12.5, '2024-02-29 20:00:00.123+00');
